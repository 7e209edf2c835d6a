class UsersController < ApplicationController
  before_action :require_user, only: :show

  def show
    @reviews = current_user.reviews.latest.includes(:book).limit(25)
  end

  def new
    @user = User.new
  end

  def create
    @user = User.new(user_params)
    if @user.save
      reset_session
      session[:user_id] = @user.id
      redirect_to account_path, notice: "Welcome, #{@user.name}.", status: :see_other
    else
      render :new, status: :unprocessable_entity
    end
  end

  private

  def user_params
    params.require(:user).permit(:name, :email, :password)
  end
end
