# frozen_string_literal: true

require "reforkd/stand_in"

Reforkd::StandIn.for("unicorn")
