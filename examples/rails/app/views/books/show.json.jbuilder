json.partial! "books/book", book: @book
json.blurb @book.blurb
json.average_rating @book.average_rating&.to_f
json.reviews @reviews do |review|
  json.extract! review, :id, :rating, :body, :created_at
  json.by review.user.name
end
