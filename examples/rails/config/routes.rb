Rails.application.routes.draw do
  root "pages#home"

  resources :books do
    resources :reviews, only: %i[create destroy]
  end
  resources :authors, only: %i[index show]
  resources :users, only: %i[new create]
  resource :session, only: %i[new create destroy]

  get "account" => "users#show"
  get "statistics" => "pages#statistics"
  get "about" => "pages#about"

  # Which process answers, and over which database connection.
  get "pid" => "pages#pid"
  get "up" => "rails/health#show", as: :rails_health_check
end
