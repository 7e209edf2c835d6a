class SessionsController < ApplicationController
  def new
  end

  def create
    user = User.authenticate_by(email: params[:email].to_s, password: params[:password].to_s)
    if user
      reset_session
      session[:user_id] = user.id
      redirect_to account_path, notice: "Welcome, #{user.name}.", status: :see_other
    else
      flash.now[:alert] = "No such user, or another password."
      render :new, status: :unprocessable_entity
    end
  end

  def destroy
    reset_session
    redirect_to root_path, notice: "Goodbye.", status: :see_other
  end
end
