class Review < ApplicationRecord
  belongs_to :book, counter_cache: true, touch: true
  belongs_to :user

  validates :rating, inclusion: { in: 1..5 }
  validates :body, presence: true, length: { maximum: 10_000 }

  scope :latest, -> { order(created_at: :desc, id: :desc) }
end
