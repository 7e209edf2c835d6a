# One page of a relation: what is on it, and where it stands among the others.
class Page
  PER_PAGE = 25

  attr_reader :number

  def initialize(relation, number)
    @relation = relation
    @number = number.to_i.clamp(1, last)
  end

  def records
    @records ||= @relation.limit(PER_PAGE).offset((number - 1) * PER_PAGE).to_a
  end

  def total
    @total ||= @relation.except(:order, :includes).count
  end

  def last
    [ (total + PER_PAGE - 1) / PER_PAGE, 1 ].max
  end

  def previous? = number > 1
  def next? = number < last
end
