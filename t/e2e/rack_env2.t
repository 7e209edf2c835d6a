#!/bin/sh
# rack_env.t with Rack 2.2.
RACK=rack2
export RACK
. "$(dirname "$0")/rack_env.t"
