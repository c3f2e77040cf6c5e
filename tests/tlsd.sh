# For the tests of tlsd alone, behind tls.sh: what hands connections to it, and
# clients.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154 # from lib.sh

# start_front LOG FRONT-WORD… -- TLSD-OPTION…: a tlsd and what hands connections
# to it; the loopback port goes into $port, the pid into $front, tlsd's own pid
# into $tlsd. $front_environment has words NAME=VALUE that no shell can set.
front_environment=
start_front() {
	front_log=$1
	front_words=
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		front_words="$front_words $1"
		shift
	done
	shift
	rm -f "$work/pid"
	# shellcheck disable=SC2086 # a list of words
	start_server "$front_log" env $front_environment tls-front \
		-p "$work/pid" $front_words "$bin/tlsd" "$@"
	# shellcheck disable=SC2034 # for the test
	front=$server tlsd=$(cat "$work/pid" 2>/dev/null)
}

# What s_client says of a ticket may come before and behind it in its line.
has_shaken() {
	grep -aq 'shaken' "$work/shaken" || test -e "$work/shaken-end"
}
# shake S_CLIENT-OPTION…: one session of openssl's client, in which a line is
# echoed. Its text goes to $work/shaken, the protocol into $protocol (empty: the
# line did not come back), "New" or "Reused" into $reused.
shake() {
	: >"$work/shaken"
	rm -f "$work/shaken-end"
	{
		echo shaken
		wait_until has_shaken
	} | {
		openssl s_client -connect "127.0.0.1:$port" "$@" \
			>"$work/shaken" 2>"$work/shaken-errors"
		: >"$work/shaken-end"
	}
	# shellcheck disable=SC2034 # for the test
	reused=$(sed -n 's/^\(New\|Reused\), TLSv.*/\1/p' "$work/shaken" |
		head -n 1)
	protocol=
	# shellcheck disable=SC2034 # for the test
	if grep -aq 'shaken' "$work/shaken"; then
		protocol=$(sed -n 's/^[A-Z][a-z]*, \(TLSv[0-9.]*\), .*/\1/p' \
			"$work/shaken" | head -n 1)
	fi
}

# client ACTION…: tests/tls-client on $port
client() {
	tls-client "$port" "$@"
}
