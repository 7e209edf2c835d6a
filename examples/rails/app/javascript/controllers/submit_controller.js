import { Controller } from "@hotwired/stimulus"

// Sends a form as soon as one of its selects is changed.
export default class extends Controller {
  now() {
    this.element.requestSubmit()
  }
}
