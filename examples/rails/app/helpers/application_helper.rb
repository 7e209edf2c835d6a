module ApplicationHelper
  def price(cents)
    number_to_currency(cents / 100.0, unit: "€")
  end

  def stars(rating)
    "★" * rating + "☆" * (5 - rating)
  end
end
