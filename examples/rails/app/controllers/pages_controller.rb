class PagesController < ApplicationController
  def home
    @reviews = Review.latest.includes(:user, book: :author).limit(10)
  end

  def about
    fresh_when etag: "about", public: true
  end

  # The thread that Timeout starts, and the database inside of it: both must
  # not stand in the way of a refork.
  def statistics
    @genres = Timeout.timeout(5) { genre_rows }
    @months = Timeout.timeout(5) { reviews_per_month }
  rescue Timeout::Error
    render plain: "The statistics take too long just now.\n", status: :service_unavailable
  end

  def pid
    render json: { pid: Process.pid, ppid: Process.ppid, books: Book.count, backend: backend_pid }
  end

  private

  def genre_rows
    Book.group(:genre).order(:genre).pluck(
      :genre, Arel.sql("count(*)"), Arel.sql("avg(pages)"), Arel.sql("avg(price_cents)"), Arel.sql("sum(reviews_count)")
    )
  end

  def reviews_per_month
    Review.pluck(:created_at, :rating).group_by { |at, _| at.strftime("%Y-%m") }
      .transform_values { |rows| [ rows.size, rows.sum(&:last).fdiv(rows.size).round(2) ] }.sort
  end

  def backend_pid
    connection = ActiveRecord::Base.connection
    connection.select_value("SELECT pg_backend_pid()") if connection.adapter_name == "PostgreSQL"
  end
end
