#!/bin/sh
# with-deps: what it asks the system for, and when. The commands of the system
# are stand-ins that note how they were called, so nothing is installed here;
# the real ones are what CI starts with.
. "$(dirname "$0")/../lib.sh"

stubs=$work/stubs
tree=$work/tree
mkdir -p "$stubs" "$tree/scripts" "$work/etc/parts" "$work/empty"
cp "$top/scripts/with-deps" "$tree/scripts/"
PATH=$stubs:$PATH
export work stubs

# stub NAME: its script is standard input; each call is noted in $work/calls.
stub() {
	{
		printf '#!/bin/sh\necho "%s $*" >>"$work/calls"\n' "$1"
		cat
	} >"$stubs/$1"
	chmod 755 "$stubs/$1"
}
stub id <<'END'
case $1 in -u) cat "$work/id" ;; -un) echo me ;; esac
END
stub sudo <<'END'
exec "$@"
END
stub make <<'END'
[ "$CC" != musl-gcc ] || exit 1
case $* in
*libcdb.a) echo archive >libcdb.a ;;
*libcares.la)
	mkdir -p src/lib/.libs
	cat src/lib/ares_private.h >"$work/table"
	echo "c-ares' archive" >src/lib/.libs/libcares.a
	;;
*libhiredis.a) echo "hiredis' archive" >libhiredis.a ;;
esac
END
stub musl-gcc <<'END'
: >cJSON.o
END
stub ar <<'END'
echo "cJSON's archive" >"$2"
END
stub configure </dev/null
stub dpkg-query <<'END'
for package; do :; done
grep -qx "$package" "$work/missing" && exit 1
echo installed
END
stub apt-cache <<'END'
! grep -qx "$2" "$work/unknown"
END
stub apt-config <<'END'
echo "list='$work/etc/sources.list'"
echo "parts='$work/etc/parts'"
END
stub apt-get <<'END'
case $* in
*sourceparts=*update)
	parts=${*#*sourceparts=}
	cp "${parts%% -o*}"/* "$work/private"
	;;
*update)
	: >"$work/unknown"
	rm -f "$work/outdated"
	;;
*install*)
	[ ! -f "$work/outdated" ] || exit 100
	: >"$work/missing"
	;;
*"source tinycdb")
	[ -f "$work/no-source" ] && exit 100
	mkdir tinycdb-1
	echo header >tinycdb-1/cdb.h
	;;
*"source c-ares")
	[ -f "$work/no-source" ] && exit 100
	mkdir -p c-ares-1/include c-ares-1/src/lib
	cp "$stubs/configure" c-ares-1/
	echo "#define ARES_QID_TABLE_SIZE 2048" >c-ares-1/src/lib/ares_private.h
	for part in "" _build _rules _version; do
		echo "ares$part" >"c-ares-1/include/ares$part.h"
	done
	;;
*"source hiredis")
	[ -f "$work/no-source" ] && exit 100
	mkdir hiredis-1
	for part in hiredis read sds alloc; do
		echo "$part" >"hiredis-1/$part.h"
	done
	;;
*"source cjson")
	[ -f "$work/no-source" ] && exit 100
	mkdir cjson-1
	echo cJSON >cjson-1/cJSON.h
	;;
*download*) exit 100 ;;
esac
END

# The machine as it is before a case, which is given as MISSING UNKNOWN.
machine() {
	rm -rf "$tree/build" "$work/private" "$work/outdated" "$work/no-source"
	mkdir "$work/private"
	printf '%s\n' "$1" | tr ' ' '\n' >"$work/missing"
	printf '%s\n' "$2" | tr ' ' '\n' >"$work/unknown"
	echo 1000 >"$work/id"
}
run() {
	: >"$work/calls"
	output=$(cd "$work/empty" && sh "$tree/scripts/with-deps" "$@" 2>&1)
	code=$?
}
# Calls by these names, without dpkg-query's hundred.
calls_of() {
	grep -E "^($1) " "$work/calls"
}

# Nothing is missing, and the libraries have been compiled.
machine "" ""
mkdir -p "$tree/build/deps/musl/lib" "$tree/build/deps/peers/postfix" \
	"$tree/build/deps/peers/exim4-daemon-light" \
	"$tree/build/deps/peers/ucspi-tcp-ipv6"
for library in cdb cares hiredis cjson; do
	: >"$tree/build/deps/musl/lib/lib$library.a"
done
run check 'TESTS=a b' -j2
is "$code: $output" "0: " "with nothing missing it says nothing"
is "$(calls_of 'apt-get|sudo|make')" "make check TESTS=a b -j2" \
	"it needs neither apt nor sudo, and hands all its words to make"
run
is "$(calls_of 'apt-get|sudo|make')" "" "without a target nothing is made"

# What is missing, and only that, for the targets that were given.
machine "gcc swaks strace mandoc" ""
DEPS=build run all
like "$output" "^with-deps: will install: gcc$" "DEPS=build: what building needs"
is "$(calls_of 'apt-get|sudo' | head -n 1)" \
	"sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-remove install gcc" \
	"an ordinary user installs with sudo, nothing more than that, removing nothing"
unlike "$(calls_of 'apt-get')" "^apt-get -q update" "no update when apt knows the package"
for case in "run:gcc swaks" "lint:gcc mandoc" "check:gcc strace swaks" \
	"bench:gcc libnet-server-perl strace swaks" "fuzz:gcc" "install:gcc" \
	":gcc libnet-server-perl mandoc strace swaks"; do
	machine "gcc swaks strace mandoc libnet-server-perl" ""
	# shellcheck disable=SC2086 # no word, when there is no target
	run ${case%%:*}
	like "$output" "^with-deps: will install: ${case#*:}$" \
		"target '${case%%:*}' needs ${case#*:}"
done
machine "gcc swaks" ""
echo 0 >"$work/id"
run run
is "$(calls_of 'sudo')" "" "root needs no sudo"
is "$(calls_of make | tail -n 1)" "make run" "then it makes the target"

machine gcc ""
mv "$stubs/sudo" "$work/sudo"
ln -s /bin/sh "$work/empty/sh"
for tool in dirname mkdir sort grep tr sed cat rm mktemp env; do
	ln -sf "$(command -v "$tool")" "$work/empty/$tool"
done
PATH=$stubs:$work/empty run run
is "$code" 1 "without sudo an ordinary user cannot go on"
like "$output" "as root, do: .*apt-get.* install gcc" "and is told what root is to do"
is "$(calls_of 'make|apt-get')" "" "nothing was done"
mv "$work/sudo" "$stubs/sudo"

# Lists that are empty, or too old; a package that there is none of.
machine "gcc make" "make"
run all
is "$(calls_of 'apt-get' | sed -n 1p)" "apt-get -q update" \
	"lists that lack a package are updated first"
machine "gcc" ""
: >"$work/outdated"
run all
is "$(calls_of 'apt-get' | sed -n '2p; s/.* install gcc/again/p')" "again
apt-get -q update
again" "lists that lead nowhere are updated, and it tries again"
machine "gcc musl-tools" "musl-tools"
sed 's/: >"$work.unknown"/:/' "$stubs/apt-get" >"$stubs/apt" && mv "$stubs/apt" "$stubs/apt-get"
chmod 755 "$stubs/apt-get"
run all
like "$output" "no package musl-tools; going on without it" "it goes on without what there is not"
like "$(calls_of apt-get)" "install gcc$" "and installs the rest"

# Libraries for musl: from the machine's own sources, source packages added.
machine "" ""
cat >"$work/etc/sources.list" <<-'END'
	# deb is explained here
	deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main
	deb-src http://mirror.example/debian bookworm main
END
cat >"$work/etc/parts/more.sources" <<-'END'
	Types: deb
	URIs: http://mirror.example/debian
	Suites: bookworm
	Components: main
END
cp "$work/etc/parts/more.sources" "$work/etc/parts/off.sources.disabled"
run all
is "$(cat "$tree/build/deps/musl/lib/libcdb.a" "$tree/build/deps/musl/include/cdb.h")" \
	"archive
header" "tinycdb is compiled into build/deps/musl"
like "$(calls_of make)" "CC=musl-gcc" "by musl-gcc"
is "$(cd "$tree/build/deps/musl" && cat lib/libcares.a include/ares.h \
	include/ares_build.h include/ares_rules.h include/ares_version.h)" \
	"c-ares' archive
ares
ares_build
ares_rules
ares_version" "so is c-ares"
is "$(cd "$tree/build/deps/musl" && cat lib/libhiredis.a include/hiredis/hiredis.h \
	include/hiredis/read.h include/hiredis/sds.h include/hiredis/alloc.h)" \
	"hiredis' archive
hiredis
read
sds
alloc" "and hiredis, whose headers have a folder"
is "$(cd "$tree/build/deps/musl" && cat lib/libcjson.a include/cjson/cJSON.h)" \
	"cJSON's archive
cJSON" "and cJSON, without cmake"
is "$(cat "$work/table")" "#define ARES_QID_TABLE_SIZE 64" \
	"its tables are small"
like "$(calls_of configure)" "--disable-shared.*CC=musl-gcc" "by musl-gcc"
is "$(cat "$work/private/sources.list")" "# deb is explained here
deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main
deb-src [signed-by=/k.gpg] http://mirror.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main" "sources.list, with its sources"
is "$(sed 's/^Types: deb deb-src$/Types: deb/' "$work/private/more.sources" |
	diff - "$work/etc/parts/more.sources"; head -n 1 "$work/private/more.sources")" \
	"Types: deb deb-src" "a .sources file, with its sources"
is "$(ls "$work/private")" "more.sources
sources.list" "and no file that apt would not read"
is "$(calls_of apt-get | grep -vc "Dir::State::lists=$tree/build/deps/")" 0 \
	"the system's lists are left alone"
is "$(ls "$tree/build/deps")" "apt.log
c-ares.log
cjson.log
hiredis.log
musl
tinycdb.log" "nothing else is left behind"

# A tree from before there was a need for hiredis, or cJSON.
machine "" ""
mkdir -p "$tree/build/deps/musl/lib"
for library in cdb cares; do
	echo old >"$tree/build/deps/musl/lib/lib$library.a"
done
run all
is "$(cd "$tree/build/deps/musl/lib" && cat libcdb.a libcares.a libhiredis.a libcjson.a)" \
	"old
old
hiredis' archive
cJSON's archive" "what an older tree lacks is compiled, and nothing else"

machine "nsd rbldnsd redis-server clamav-daemon spamd rspamd dovecot-lmtpd" ""
: >"$work/no-source"
run check
like "$output" "tinycdb could not be had.*" "without its source it says so"
like "$output" "c-ares could not be had" "the same of c-ares"
like "$output" "hiredis could not be had" "and of hiredis"
like "$output" "postfix could not be had" "the same of Postfix"
like "$output" "ucspi-tcp-ipv6 could not be had" "of ucspi-tcp's variant"
like "$output" " nsd could not be had" "of nsd, unless it is installed"
like "$output" " rbldnsd could not be had" "of rbldnsd, unless it is"
like "$output" "redis-server could not be had" "of Redis, unless it is"
for peer in clamav-daemon spamd rspamd dovecot-core; do
	like "$output" " $peer could not be had" "of $peer, unless it is"
done
unlike "$(calls_of apt-get | grep install)" "clam|spamd|rspamd|dovecot" \
	"which is never installed"
is "$code $(calls_of make | tail -n 1)" "0 make check" "and goes on"

done_testing
