class Book < ApplicationRecord
  GENRES = %w[biography cooking crime fantasy history poetry science travel].freeze
  ORDERS = {
    "title" => { title: :asc },
    "newest" => { published_on: :desc },
    "cheapest" => { price_cents: :asc },
    "most reviewed" => { reviews_count: :desc }
  }.freeze

  belongs_to :author
  has_many :reviews, dependent: :destroy

  validates :title, presence: true, length: { maximum: 200 }
  validates :genre, inclusion: { in: GENRES }
  validates :published_on, presence: true
  validates :pages, numericality: { only_integer: true, in: 1..5000 }
  validates :price_cents, numericality: { only_integer: true, greater_than_or_equal_to: 0 }

  scope :in_genre, ->(genre) { where(genre: genre) if GENRES.include?(genre) }
  scope :sorted, ->(by) { order(ORDERS.fetch(by, ORDERS["title"])).order(:id) }
  scope :search, ->(words) do
    words.to_s.downcase.split.first(5).inject(all) do |found, word|
      like = "%#{sanitize_sql_like(word)}%"
      found.where("lower(books.title) LIKE :like OR lower(books.blurb) LIKE :like", like: like)
    end
  end

  def average_rating
    reviews.average(:rating)&.round(1)
  end
end
