require_relative "app"

run Corner
