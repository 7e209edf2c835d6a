# What tests of contrib/steep share: a project of a few files, of which lib/m3.rb
# has a mistake. Sourced behind lib.sh.
root=$ROOT
. "$ROOT/t/bundle.sh"
with_bundle "$(steep_gems "${RUBY:-ruby}")"
PROJECT=$DIR/project
READY="master process ready" # the project's mold is made when it is wanted
export TMPDIR="$DIR" # where Steep's command socket goes
mkdir -p "$PROJECT/lib" "$PROJECT/sig"
cat >"$PROJECT/Steepfile" <<'END'
target :app do
  signature "sig"
  check "lib"
end
END
for i in 1 2 3 4 5 6; do
	cat >"$PROJECT/lib/m$i.rb" <<-END
		class M$i
		  def value
		    $([ $i = 3 ] && echo '"text"' || echo $i)
		  end

		  def other
		    M1.new.value + $i
		  end
		end
	END
	cat >"$PROJECT/sig/m$i.rbs" <<-END
		class M$i
		  def value: () -> Integer
		  def other: () -> Integer
		end
	END
done

CONF=$ROOT/examples/steep/app.conf
RUBY=${RUBY:-ruby}
STEEP=$("$RUBY" -e 'print Gem.bin_path("steep", "steep")')
OURS="$RUBY $ROOT/contrib/steep/exe/reforkd-steep -c $CONF"
editor() { # CASE PROJECT CMD...
	editor_case=$1
	cd "$2" && shift 2 && timeout 100 "$RUBY" "$ROOT/t/e2e/steep_client.rb" "$editor_case" "$@"
}
