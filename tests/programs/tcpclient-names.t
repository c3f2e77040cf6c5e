#!/bin/sh
# tcpclient and tcp-env with a name server: hosts with several addresses, both
# rounds of -T, and the names of both ends.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2154 # what shells are to expand; what dns.sh sets
. "$(dirname "$0")/../lib.sh"
. "$tests/dns.sh"
need perl

unset PROTO LOCALDOMAIN RES_OPTIONS HOSTALIASES
start_dns
export DNSCACHEIP="127.0.0.1:$dns_port"
# run COMMAND…: output in $out, exit code in $code, messages in $log.
run() {
	code=0
	"$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(cat "$work/out")
	log=$(cat "$work/log")
}
# serve ADDRESS PORT PROGRAM…: our tcpserver; its port in $port, its pid in $server
serve() {
	address=$1 wanted_port=$2
	shift 2
	rm -f "$work/port"
	"$bin/tcpserver" -1 -R -H -l server.example "$address" "$wanted_port" "$@" \
		>"$work/port" 2>"$work/server.log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/port" || {
		echo "Bail out! no server: $(cat "$work/server.log")"
		exit 1
	}
	port=$(cat "$work/port")
}
show='env | grep -E "^(PROTO|TCP)" | sort'

# --- a host's name
serve 127.0.0.1 0 cat
run tcpclient -v -RHl0 server.mail.test "$port" sh -c "$show"
is "$code $log" "0 tcpclient: connected to 127.0.0.1 port $port" 'a name'
unlike "$out" HOST=server '-H: the name that was asked for is not the name of the address'
run tcpclient -v -RHl0 Server.MAIL.Test. "$port" true
is "$code" 0 'in any case, and with its last dot'
run tcpclient -RHl0 nothing.mail.test "$port" true
is "$code $log" '111 tcpclient: fatal: no IP address for nothing.mail.test' 'no such name'
run tcpclient -RHl0 "$(printf 'no\033thing.mail.test')" "$port" true
is "$code $log" '111 tcpclient: fatal: no IP address for no?thing.mail.test' 'nor is any text one'
run tcpclient -RHl0 '[server.mail.test]' "$port" true
is "$code $log" '111 tcpclient: fatal: no IP address for [server.mail.test]' 'nor a name in brackets'
run tcpclient -RHl0 -6 server.mail.test "$port" true
is "$code $log" '111 tcpclient: fatal: no IP address for server.mail.test' '-6 and a name that has IPv4 only'
run tcpclient -RHl0 broken.test "$port" true
is "$code $log" "111 tcpclient: fatal: temporarily unable to figure out IP address for broken.test: no answer from the DNS" \
	'a server that does not know now'
run tcpclient -q -RHl0 broken.test "$port" true
is "$code <$log>" '111 <>' '-q says nothing of it'
run tcpclient server.mail.test "$port"
is "$code" 0 'the relay takes names too'

# --- the names of both ends
run tcpclient -R 127.0.0.1 "$port" sh -c "$show"
is "$(printf '%s\n' "$out" | grep HOST)" 'TCPLOCALHOST=server.mail.test
TCPREMOTEHOST=server.mail.test' 'the names of both ends'
run tcpclient -RH -i 127.0.0.10 127.0.0.1 "$port" sh -c "$show"
is "$(printf '%s\n' "$out" | grep HOST)" TCPLOCALHOST=one.mail.test 'the local one only'
for address in 127.0.0.14 127.0.0.15 127.9.0.1; do
	export TCPLOCALHOST=x
	run tcpclient -RH -i $address 127.0.0.1 "$port" sh -c "$show"
	unset TCPLOCALHOST
	unlike "$out" HOST "$address has no name to tell"
done
stop "$server"
start_tcpserver "$work/log" -- sh -c 'unset PROTO; TCPREMOTEHOST=x exec tcp-env -R "$@"' - sh -c "$show"
out=$(tcp-talk -f 127.0.0.16 127.0.0.1 "$port" </dev/null)
is "$(printf '%s\n' "$out" | grep HOST)" 'TCPLOCALHOST=server.mail.test
TCPREMOTEHOST=upper.mail.test' 'tcp-env: the names of both ends, in lower case'
for address in 127.0.0.14 127.0.0.15 127.9.0.1; do
	out=$(tcp-talk -f $address 127.0.0.1 "$port" </dev/null)
	unlike "$out" '^TCPREMOTEHOST' "tcp-env: $address has no name to tell"
done
stop "$server"
start_tcpserver "$work/log" -- sh -c 'unset PROTO; TCPREMOTEHOST=x exec tcp-env -HR -l name "$@"' - sh -c "$show"
out=$(tcp-talk 127.0.0.1 "$port" </dev/null)
is "$(printf '%s\n' "$out" | grep HOST)" 'TCPLOCALHOST=name' 'tcp-env: -H and -l ask for none'
stop "$server"

# --- several addresses
run tcpclient -RHl0 many.mail.test "$port" true
is "$code $(printf '%s\n' "$log" | sort)" "111 tcpclient: unable to connect to 127.0.0.1 port $port: connection refused
tcpclient: unable to connect to 127.0.0.2 port $port: connection refused
tcpclient: unable to connect to 127.0.0.3 port $port: connection refused" 'all refuse: a line for each'
tcpclient -RHl0 many.mail.test "$port" true 2>"$work/order"
another_order() {
	tcpclient -RHl0 many.mail.test "$port" true 2>"$work/order.2"
	! cmp -s "$work/order" "$work/order.2"
}
if wait_until another_order; then ok 'in no certain order'; else not_ok 'in no certain order'; fi
# Two that do not answer, at one port, and one that refuses.
full-listener 127.0.0.1 >"$work/full.1" &
started="$started $!"
wait_until test -s "$work/full.1"
port=$(cat "$work/full.1")
full-listener 127.0.0.2 "$port" >"$work/full.2" &
started="$started $!"
wait_until test -s "$work/full.2"
two_rounds="tcpclient: unable to connect to 127.0.0.1 port $port: timed out
tcpclient: unable to connect to 127.0.0.2 port $port: timed out
tcpclient: unable to connect to 127.0.0.3 port $port: connection refused"
# tries WANTED NAME -T…: so many calls of connect
tries() {
	wanted_tries=$1 name=$2
	shift 2
	is_plain "$name" && can_trace "$name" || return 0
	strace -qq -e trace=connect -o "$work/trace" tcpclient "$@" -RHl0 many.mail.test "$port" true 2>/dev/null
	is "$(grep -c "sin_port=htons($port)" "$work/trace")" "$wanted_tries" "$name"
}
run tcpclient -T 0+1 -RHl0 many.mail.test "$port" true
is "$code $(printf '%s\n' "$log" | sort)" "111 $two_rounds" 'no answer twice: a line for each'
like "$(printf '%s\n' "$log" | head -n 1)" 'refused$' 'after the second round'
tries 5 'those that do not answer are tried twice' -T 0+0 -T 0+1
run tcpclient -T 1 -RHl0 many.mail.test "$port" true
is "$code $(printf '%s\n' "$log" | sort)" "111 $two_rounds" 'one round: the same'
tries 3 'but each is tried once' -T 0
serve 127.0.0.3 "$port" true
run tcpclient -v -T 0+1 -RHl0 many.mail.test "$port" true
is "$code $log" "0 tcpclient: connected to 127.0.0.3 port $port" 'the one that answers is found'
stop "$server"

# --- both families
if has_ipv6 'addresses of both families'; then
	serve ::1 0 true
	run tcpclient -v -RHl0 both.mail.test "$port" true
	like "$log" "^tcpclient: connected to ::1 port $port\$" 'both families: the one that answers is found'
	run tcpclient -v -RHl0 -6 both.mail.test "$port" sh -c "$show"
	is "$code $log" "0 tcpclient: connected to ::1 port $port" '-6: that one only'
	run tcpclient -v -RHl0 -i ::1 both.mail.test "$port" true
	is "$code $log" "0 tcpclient: connected to ::1 port $port" '-i: the one of its family'
	run tcpclient -v -RHl0 -4 both.mail.test "$port" true
	is "$code $log" "111 tcpclient: unable to connect to 127.0.0.1 port $port: connection refused" \
		'-4: the other only'
	run tcpclient -R ::1 "$port" sh -c "$show"
	is "$(printf '%s\n' "$out" | grep HOST | uniq)" 'TCP6LOCALHOST=six.mail.test
TCP6REMOTEHOST=six.mail.test
TCPLOCALHOST=six.mail.test
TCPREMOTEHOST=six.mail.test' 'the names of IPv6 addresses'
	stop "$server"
fi

# --- who needs no name asks nobody
start_silent_dns
serve 127.0.0.1 0 true
export DNSCACHEIP="127.0.0.1:$silent_port"
run tcpclient -RHl0 127.0.0.1 "$port" true
is "$code" 0 'an address needs no name server'
export DNSCACHEIP='no address'
run tcpclient -RHl0 127.0.0.1 "$port" true
is "$code $log" '0 tcpclient: warning: DNSCACHEIP is no list of addresses' 'nor does it mind a wrong one'
stop "$server"
done_testing
