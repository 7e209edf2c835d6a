class BooksController < ApplicationController
  before_action :require_user, except: %i[index show]
  before_action :set_book, only: %i[show edit update destroy]

  def index
    found = Book.search(params[:q]).in_genre(params[:genre]).sorted(params[:sort])
    @page = Page.new(found.includes(:author), params[:page])
  end

  def show
    @reviews = @book.reviews.latest.includes(:user).limit(50)
    @similar = Rails.cache.fetch([ "similar", @book ]) { similar_to(@book) }
  end

  def new
    @book = Book.new(published_on: Date.current)
  end

  def edit
  end

  def create
    @book = Book.new(book_params)
    save_or_render :new, notice: "The book was added."
  end

  def update
    @book.assign_attributes(book_params)
    save_or_render :edit, notice: "The book was changed."
  end

  def destroy
    @book.destroy!
    redirect_to books_path, notice: "The book is gone.", status: :see_other
  end

  private

  def set_book
    @book = Book.includes(:author).find(params[:id])
  end

  def book_params
    params.require(:book).permit(:title, :author_id, :genre, :published_on, :pages, :price_cents, :blurb)
  end

  def save_or_render(form, notice:)
    if @book.save
      redirect_to @book, notice: notice, status: :see_other
    else
      render form, status: :unprocessable_entity
    end
  end

  def similar_to(book)
    Book.where(genre: book.genre).where.not(id: book.id)
      .order(Arel.sql("abs(books.pages - #{book.pages.to_i})"), :id).limit(5).pluck(:id, :title)
  end
end
