ActiveRecord::Schema[7.2].define(version: 2024_09_01_000000) do
  create_table "authors", force: :cascade do |t|
    t.string "name", null: false
    t.string "country"
    t.date "born_on", null: false
    t.text "bio"
    t.timestamps
    t.index [ "name" ], name: "index_authors_on_name"
  end

  create_table "books", force: :cascade do |t|
    t.references "author", null: false, foreign_key: true
    t.string "title", null: false
    t.string "genre", null: false
    t.date "published_on", null: false
    t.integer "pages", null: false
    t.integer "price_cents", null: false
    t.integer "reviews_count", default: 0, null: false
    t.text "blurb"
    t.timestamps
    t.index [ "genre" ], name: "index_books_on_genre"
    t.index [ "title" ], name: "index_books_on_title"
  end

  create_table "users", force: :cascade do |t|
    t.string "name", null: false
    t.string "email", null: false
    t.string "password_digest", null: false
    t.timestamps
    t.index [ "email" ], name: "index_users_on_email", unique: true
  end

  create_table "reviews", force: :cascade do |t|
    t.references "book", null: false, foreign_key: true
    t.references "user", null: false, foreign_key: true
    t.integer "rating", null: false
    t.text "body", null: false
    t.timestamps
    t.index [ "created_at" ], name: "index_reviews_on_created_at"
  end
end
