class ReviewsController < ApplicationController
  before_action :require_user

  def create
    @book = Book.find(params[:book_id])
    review = @book.reviews.build(review_params.merge(user: current_user))
    if review.save
      redirect_to @book, notice: "Thank you for the review.", status: :see_other
    else
      redirect_to @book, alert: review.errors.full_messages.to_sentence, status: :see_other
    end
  end

  def destroy
    review = current_user.reviews.find(params[:id])
    review.destroy!
    redirect_to review.book, notice: "The review is gone.", status: :see_other
  end

  private

  def review_params
    params.require(:review).permit(:rating, :body)
  end
end
