# For the tests of tcpserver, behind lib.sh: . "$tests/tcpserver.sh"
# SPDX-License-Identifier: ISC
# shellcheck shell=sh

unset MAXLOAD MAXCONNIP MAXCONNC MAXRATEIP MAXRATEC DIEMSG
unset LISTEN_FDS LISTEN_PID NOTIFY_SOCKET
# Nobody is there, so that nothing leaves the machine.
DNSCACHEIP=127.0.0.1:1
export DNSCACHEIP

# listen ARGUMENT…: a tcpserver whose log is in $work/log. It runs under the
# command $under.
under=
listen() {
	# shellcheck disable=SC2086 # words
	start_server "$work/log" $under "${tcpserver:-$bin/tcpserver}" -1 "$@"
}
# talk [OPTION…]: a client that only listens. hold FILE [OPTION…]: in the
# background, its output in FILE, its pid in $client.
talk() {
	tcp-talk "$@" 127.0.0.1 "$port" </dev/null
}
hold() {
	hold_output=$1
	shift
	: >"$hold_output"       # before somebody looks for a line in it
	tcp-talk "$@" 127.0.0.1 "$port" </dev/null >"$hold_output" 2>&1 &
	client=$!
	started="$started $client"
}
# wait_for_count N REGULAR-EXPRESSION: so many lines of the log. An end is not
# the last line of anything: a status comes behind it, in a write of its own.
count_is() {
	[ "$(grep -aEc -- "$2" "$work/log")" -eq "$1" ] || return
	[ "$2" != ' end ' ] || ! tail -n 1 "$work/log" | grep -q ' end '
}
wait_for_count() {
	wait_until count_is "$1" "$2" || waited_in_vain "$1 x $2"
}
# restart: until the new one is there, which begins with a status
has_restarted() {
	[ "$(grep -c 'status: ' "$work/log")" -gt "$restart_seen" ]
}
restart() {
	restart_seen=$(grep -c 'status: ' "$work/log")
	kill -HUP "$server"
	wait_until has_restarted
}
# rules FILE: compiles standard input
rules() {
	tcprules "$1" "$1.tmp"
}
# failure ARGUMENT…: the messages and the exit code of a tcpserver that must
# not start
failure() {
	failure_code=0
	failure_text=$(timeout 20 "$bin/tcpserver" "$@" 2>&1) || failure_code=$?
	printf '%s\n%s\n' "$failure_text" "$failure_code"
}

# Pids become P1, P2 … in the order of the "pid" lines, ports LP and RP; so a
# pid that is not the same in all its lines shows.
mask() {
	awk -v port="$port" '
		$2 == "pid" { known[$3] = "P" ++sessions }
		$2 ~ /^(pid|ok|deny|end)$/ { $3 = ($3 in known) ? known[$3] : "?" }
		$2 ~ /^(ok|deny)$/ { sub(":" port "$", ":LP", $4); sub("[0-9]+$", "RP", $5) }
		{ print }' "$work/log"
}
