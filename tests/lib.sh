# What every test script begins with: . "$(dirname "$0")/../lib.sh"
# TAP on standard output (prove reads it), a folder of its own in $work, the
# built programs first in the PATH, and every process it started gone at its end.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh

set -u
# What nohup ignores, or a shell for what it starts in the background, would be
# ignored by all that is started here, and a shell cannot change that: once more,
# without SIGHUP, SIGINT and SIGQUIT, the lowest three bits.
case $(sed -n 's/^SigIgn:.*\(.\)$/\1/p' "/proc/$$/status") in
[!08]) exec perl -e '@SIG{qw(HUP INT QUIT)} = ("DEFAULT") x 3;
	exec @ARGV' "$0" "$@" ;;
esac
tests=$(cd "$(dirname "$0")/.." && pwd)
top=$(dirname "$tests")
BUILD=${BUILD:-$top/build}
bin=$BUILD/bin
PATH=$bin:$tests:$PATH:/usr/sbin:/sbin
LC_ALL=C
# A program that ends frees nothing; what a leak checker makes of that is no
# exit code.
ASAN_OPTIONS=detect_leaks=0
export PATH LC_ALL ASAN_OPTIONS
unset RELAYCLIENT QMAILQUEUE CONTROLDIR DATABYTES RBLSMTPD GREETDELAY DROP_PRE_GREET
unset TCPREMOTEIP TCPREMOTEHOST TCPREMOTEINFO TCPREMOTEPORT TCPLOCALIP TCPLOCALHOST TCPLOCALPORT
work=$(mktemp -d)
CHAINMAIL_TEST=$work    # tells our processes from others'
export CHAINMAIL_TEST
count=0
failed=0
started=

# is_ours PID: by now somebody else may have the number. A child of ours, or
# something that was started with our environment.
is_ours() {
	grep -qsx "PPid:[[:blank:]]*$$" "/proc/$1/status" ||
		grep -qsz "^CHAINMAIL_TEST=$work\$" "/proc/$1/environ"
}

# shellcheck disable=SC2086 # a list of pids
finish() {
	code=$?
	trap - EXIT
	# One that a test has stopped notices only when it goes on.
	for pid in $started; do
		is_ours "$pid" && kill "$pid" && kill -CONT "$pid"
	done 2>/dev/null
	for pid in $started; do wait "$pid" 2>/dev/null; done
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 1' HUP INT PIPE TERM

ok() {
	count=$((count + 1))
	echo "ok $count - $1"
}
not_ok() {
	count=$((count + 1))
	failed=$((failed + 1))
	echo "not ok $count - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$*" | sed 's/^/# /'
}

# is GOT WANTED NAME
is() {
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got:    $1
wanted: $2"; fi
}
# like GOT REGULAR-EXPRESSION NAME: some line of it matches
like() {
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then ok "$3"
	else not_ok "$3" "got:    $1
wanted: $2"; fi
}
unlike() {
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then not_ok "$3" "got:    $1
unwanted: $2"; else ok "$3"; fi
}
# skip REASON NAME: what cannot be had here
skip() {
	ok "$2 # SKIP $1"
}
# is_here PROGRAM NAME: if it is not, the case NAME is skipped; on CI, where it
# has been installed, that fails.
is_here() {
	command -v "$1" >/dev/null 2>&1 && return
	if [ "${CI:-}" = true ]; then not_ok "$2" "$1 is not installed"
	else skip "$1 is not installed" "$2"; fi
	return 1
}
# can_trace NAME: the same for a strace that may trace
can_trace() {
	is_here strace "$1" || return
	strace -o /dev/null true 2>/dev/null && return
	skip 'strace may not trace here' "$1"
	return 1
}
# has_ipv6 NAME: the same for ::1
has_ipv6() {
	perl -MIO::Socket::IP -e \
		'exit !IO::Socket::IP->new(LocalHost => "::1", Listen => 1)' && return
	skip 'no IPv6 here' "$1"
	return 1
}
# is_plain NAME: the same for programs without a sanitizer, which needs memory,
# descriptors and system calls of its own
is_plain() {
	[ -n "${SANITIZE:-}" ] || return 0
	skip 'a sanitizer is another matter' "$1"
	return 1
}
# is_root NAME: the same for root, and is_user NAME for others
is_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	skip 'not root' "$1"
	return 1
}
is_user() {
	[ "$(id -u)" -eq 0 ] || return 0
	skip 'root may do it' "$1"
	return 1
}
# timed COMMAND…: $ms is how long it took. is_at_least MS NAME, is_at_most MS NAME
timed() {
	timed_from=$(date +%s%N)
	"$@"
	ms=$((($(date +%s%N) - timed_from) / 1000000))
}
# A deadline is counted in whole milliseconds, and may be one of them early.
is_at_least() {
	if [ $((ms + 2)) -ge "$1" ]; then ok "$2"; else not_ok "$2" "$ms ms"; fi
}
is_at_most() {
	if [ "$ms" -le "$1" ]; then ok "$2"; else not_ok "$2" "$ms ms"; fi
}
# same_file GOT WANTED NAME
same_file() {
	if cmp -s "$1" "$2"; then ok "$3"
	else not_ok "$3" "$(diff -a "$1" "$2" 2>&1 | head -n 20 | cat -A)"; fi
}
done_testing() {
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit
}

# dialogues ARGUMENT…: tests/dialogue; its cases become cases of this test.
dialogues() {
	dialogue "$@" >"$work/dialogues" 2>&1
	grep -q '^1\.\.' "$work/dialogues" || not_ok "dialogue $*" \
		"$(cat "$work/dialogues")"
	awk -v n="$count" '/^1\.\./ { next }
		/^(not )?ok/ { n++; sub(/ok [0-9]+/, "ok " n) }
		{ print }' "$work/dialogues"
	count=$((count + $(grep -Ec '^(not )?ok' "$work/dialogues")))
	failed=$((failed + $(grep -c '^not ok' "$work/dialogues")))
}

# need PROGRAM…: a real part that the test is about. On CI its absence fails.
need() {
	for part; do
		command -v "$part" >/dev/null 2>&1 && continue
		if [ "${CI:-}" = true ]; then
			echo "Bail out! $part is not installed"
			exit 1
		fi
		echo "1..0 # SKIP $part is not installed"
		exit 0
	done
}

# is_dynamic PROGRAM: it needs the system's shared libraries
is_dynamic() {
	ldd "$1" 2>/dev/null | grep -q 'libc\.'
}

# wait_until COMMAND…: until it succeeds; fails when it has not for 20 seconds.
wait_until() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || return 1
		sleep 0.02
	done
}
# waited_in_vain WHAT: the test as a whole fails, whatever comes next. On
# descriptor 2, which prove does not swallow.
waited_in_vain() {
	failed=$((failed + 1))
	echo "# $0, after case $count: waited in vain for $1" >&2
	return 1
}
# wait_for_line FILE REGULAR-EXPRESSION
wait_for_line() {
	wait_until grep -aEq -- "$2" "$1" ||
		waited_in_vain "$2 in $1: $(tail -n 20 "$1" | cat -A)"
}

# free_port: a number that is free for TCP and UDP at the moment
free_port() {
	perl -MIO::Socket::INET -e '
		for (1 .. 100) {
			my $tcp = IO::Socket::INET->new(Listen => 1,
				LocalAddr => "0.0.0.0") or next;
			my $port = $tcp->sockport;
			IO::Socket::INET->new(Proto => "udp",
				LocalAddr => "0.0.0.0", LocalPort => $port)
				or next;
			print $port, "\n";
			exit;
		}
		exit 1'
}
# is_listening PORT: Debian's tcpserver says the port before it listens
is_listening() {
	grep -q ":$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6
}
# start_server LOG COMMAND…: in the background, what says its port on standard
# output, which goes into $work/port and (the first) into $port, the pid into
# $server. LOG is a new file: what lives on from a server that had it before goes
# on writing to the old one.
start_server() {
	start_log=$1
	shift
	rm -f "$work/port" "$start_log"
	"$@" >"$work/port" 2>>"$start_log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/port" || {
		echo "Bail out! $1 did not start: $(cat "$start_log")"
		exit 1
	}
	# shellcheck disable=SC2034 # for the test
	port=$(head -n 1 "$work/port")
	case $* in */tcpserver*) wait_until is_listening "$port" ;; esac
}
# start_tcpserver LOG ARGUMENT…: our tcpserver on a free loopback port. The
# arguments are options, then `--`, then the program.
start_tcpserver() {
	tcpserver_log=$1
	tcpserver_options=
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		tcpserver_options="$tcpserver_options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # options hold no blanks
	start_server "$tcpserver_log" "$bin/tcpserver" -1 -v -R -H \
		-l server.example $tcpserver_options 127.0.0.1 0 "$@"
}
# stop PID: ends it and waits for it.
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}
