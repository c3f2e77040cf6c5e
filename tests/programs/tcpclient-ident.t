#!/bin/sh
# tcpclient and tcp-env -r: what a real RFC 1413 server is asked and answers.
# Its port takes root.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl

unset PROTO
# An address that no other test has at port 113.
address=$(perl -e 'printf "127.113.%d.%d", 1 + rand 250, 1 + rand 250')
# ident ANSWER
ident() {
	ident-server "$address" "$1" >"$work/ident" &
	ident=$!
	started="$started $ident"
	# shellcheck disable=SC2317 # called by wait_until
	is_known() { grep -q ready "$work/ident" || ! kill -0 "$ident"; }
	wait_until is_known
	grep -q ready "$work/ident"
}
if ! ident 'PORTS : USERID : UNIX : a user: %d'; then
	[ "${CI:-}" != true ] || [ "$(id -u)" -ne 0 ] || {
		echo 'Bail out! port 113 is not to be had'
		exit 1
	}
	echo '1..0 # SKIP port 113 is not to be had'
	exit 0
fi
rm -f "$work/port"
"$bin/tcpserver" -1 -R -H -l server.example "$address" 0 \
	sh -c 'echo "port $TCPREMOTEPORT"; cat' >"$work/port" 2>"$work/log" &
started="$started $!"
wait_until test -s "$work/port"
port=$(cat "$work/port")
client() {
	TCPREMOTEINFO=x tcpclient "$@" "$address" "$port" sh -c 'read -r said <&6
		echo "$said ${TCPREMOTEINFO-unset}"' </dev/null >"$work/out" 2>&1
	out=$(cat "$work/out")
}
client -Hl0
like "$out" ' unset$' 'without -r nothing is asked'
client -rHl0 -R
like "$out" ' unset$' 'nor with -R'
is "$(cat "$work/ident")" ready 'nobody was'
client -rHl0
like "$out" '^port [0-9]+ auser:%d$' '-r: the info, without blanks'
wait_for_line "$work/ident" asks
is "$(sed -n 2p "$work/ident")" "127.0.0.1 asks $port , $(echo "$out" | cut -d ' ' -f 2)" \
	'the question has their port, then ours'
client -i 127.0.0.5 -rHl0
like "$out" ' auser:%d$' 'it comes from the address that the connection comes from'
wait_for_line "$work/ident" '^127\.0\.0\.5 asks'
ok 'as the other side sees it'
stop "$ident"

ident 'PORTS : ERROR : NO-USER'
client -rHl0
like "$out" ' unset$' 'an error is no info'
stop "$ident"
client -rHl0
like "$out" ' unset$' 'nor is there any without a server'
ident ''
client -rHl0 -t 1
like "$out" ' unset$' 'nor where it does not answer in time'
stop "$ident"

# tcp-env, and the client at the address of the ident server
ident 'PORTS : USERID : UNIX : joe'
start_tcpserver "$work/log" -- sh -c 'unset PROTO; TCPREMOTEINFO=x exec tcp-env "$@"' - -H -l0 -r \
	sh -c 'echo "$TCPREMOTEPORT ${TCPREMOTEINFO-unset}"'
out=$(tcp-talk -f "$address" 127.0.0.1 "$port" </dev/null)
like "$out" ' joe$' 'tcp-env -r'
wait_for_line "$work/ident" asks
is "$(sed -n 2p "$work/ident")" "127.0.0.1 asks ${out% *} , $port" 'asks the other way round'
stop "$server"
stop "$ident"
done_testing
