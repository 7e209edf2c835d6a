class Author < ApplicationRecord
  has_many :books, dependent: :restrict_with_error

  validates :name, presence: true, length: { maximum: 120 }

  scope :by_name, -> { order(:name, :id) }
end
