#!/bin/sh
# rack_answers.t with Rack 2.2.
RACK=rack2
export RACK
. "$(dirname "$0")/rack_answers.t"
