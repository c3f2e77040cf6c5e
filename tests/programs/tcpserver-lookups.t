#!/bin/sh
# tcpserver's look-ups: names from a real DNS server, or from one that is
# silent, and users from ident servers of every kind.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2317 # the programs' shells expand; called by name
# shellcheck disable=SC2034,SC2154 # for and from the files read in

# Port 113 takes root, at least in a network of one's own.
if [ "$(id -u)" -ne 0 ] && unshare -rn ip link set lo up 2>/dev/null; then
	exec unshare -rn sh -c 'ip link set lo up; exec "$0"' "$0"
fi
. "$(dirname "$0")/../lib.sh"
. "$tests/tcpserver.sh"
. "$tests/dns.sh"
need perl tcprules

start_dns
DNSCACHEIP=127.0.0.1:$dns_port
export DNSCACHEIP
show='echo "${TCPLOCALHOST-unset} ${TCPREMOTEHOST-unset} ${TCPREMOTEINFO-unset}"'

# from ADDRESS: what the program of a client from there is told
from() {
	talk -f "$1"
}

# --- the client's name ---

listen 127.0.0.1 0 sh -c "$show"
for case in 10=one 11=o 12=liar 13=nowhere 16=upper 17=alias; do
	like "$(from 127.0.0.${case%=*})" \
		"^server\.mail\.test ${case#*=}[a-z]*\.mail\.test unset$" \
		"without -p: ${case#*=}"
done
like "$(from 127.0.0.11)" ' (two|other)\.mail\.test ' 'one of two names'
is "$(from 127.0.0.20)" 'server.mail.test broken.test unset' \
	'a name of a zone that nobody serves'
for case in '127.0.0.14 no such name' '127.0.0.15 bytes that no name has' \
	'127.0.0.18 an address for a name' '127.0.0.19 an alias of itself' \
	'127.9.0.1 a server that fails'; do
	is "$(from "${case%% *}")" 'server.mail.test unset unset' "${case#* }"
done
stop "$server"

listen -p 127.0.0.1 0 sh -c "$show"
for case in 10=one 11=two 16=upper 17=alias; do
	is "$(from 127.0.0.${case%=*})" \
		"server.mail.test ${case#*=}.mail.test unset" \
		"-p: ${case#*=} has the address"
done
for case in '127.0.0.12 a name with another address' \
	'127.0.0.13 a name that there is not' \
	'127.0.0.20 a name that cannot be looked up' \
	'127.0.0.15 bytes that no name has' '127.9.0.1 a server that fails'; do
	is "$(from "${case%% *}")" 'server.mail.test unset unset' "-p: ${case#* }"
done
stop "$server"
listen -p ::1 0 sh -c "$show"
is "$(tcp-talk ::1 "$port" </dev/null)" \
	'six.mail.test six.mail.test unset' 'IPv6'
stop "$server"
listen -p ::1 0 sh -c 'echo "$TCP6LOCALHOST $TCP6REMOTEHOST"'
is "$(tcp-talk ::1 "$port" </dev/null)" 'six.mail.test six.mail.test' \
	'the variables of IPv6'
stop "$server"

# --- what is not asked for ---

TCPREMOTEHOST=forged TCPREMOTEINFO=forged TCPLOCALHOST=forged \
	listen -H 127.0.0.1 0 sh -c "$show"
is "$(from 127.0.0.10)" 'server.mail.test unset unset' '-H'
stop "$server"
listen -l '' -h 127.0.0.1 0 sh -c "$show"
is "$(from 127.0.0.10)" ' one.mail.test unset' 'an empty local name'
stop "$server"
name='-H -R -l: nothing of the DNS is touched'
if can_trace "$name"; then
	under="strace -D -f -o $work/trace"
	listen -v -H -R -l 0 127.0.0.1 0 true
	under=
	talk
	wait_for_count 2 'status: 0/40'
	stop "$server"
	unlike "$(cat "$work/trace")" 'resolv.conf|SOCK_DGRAM|urandom' "$name"
fi

# --- the log and the rules ---

rules "$work/names.cdb" <<'END'
=one.mail.test:allow,R="one"
=.mail.test:allow,R="below"
=:deny
:allow,R="nameless"
END
listen -v -l 0 -x "$work/names.cdb" 127.0.0.1 0 sh -c 'echo "$R"'
is "$(from 127.0.0.10)" one 'a rule for a name'
is "$(from 127.0.0.17)" below 'a rule for the end of a name'
is "$(from 127.0.0.14)" nameless 'a rule for who has no name'
is "$(from 127.0.0.20)" '' 'a rule for any name'
wait_for_count 5 'status: 0/40'
mask >"$work/masked"
like "$(cat "$work/masked")" \
	'^tcpserver: ok P1 0:127\.0\.0\.1:LP one\.mail\.test:127\.0\.0\.10::RP$' \
	'the name is in the log'
like "$(cat "$work/masked")" \
	'^tcpserver: deny P4 0:127\.0\.0\.1:LP broken\.test:127\.0\.0\.20::RP$' \
	"also a refused client's"
stop "$server"
listen -v 127.0.0.1 0 true
talk -f 127.0.0.14
wait_for_count 2 'status: 0/40'
like "$(mask)" 'ok P1 server\.mail\.test:127\.0\.0\.1:LP :127\.0\.0\.14::RP$' \
	'the name of the server is in the log'
stop "$server"

rules "$work/proxy.cdb" <<'END'
127.0.0.1:allow,PROXY="1"
=one.mail.test:allow,R="one"
:allow,R="somebody"
END
listen -p -x "$work/proxy.cdb" 127.0.0.1 0 sh -c "$show"'; echo "$R"'
is "$(printf 'PROXY TCP4 127.0.0.10 127.0.0.16 1 2\r\n' |
	tcp-talk 127.0.0.1 "$port")" 'upper.mail.test one.mail.test unset
one' "behind a balancer: its client's names"
is "$(printf 'PROXY UNKNOWN\r\n' | tcp-talk 127.0.0.1 "$port")" \
	'server.mail.test server.mail.test unset' 'the balancer itself'
stop "$server"

# --- many at once ---

# crowd N ADDRESS: so many clients at the same time; what they are told, counted
crowd() {
	perl -MIO::Socket::IP -e '
		my ($port, $count, $address) = @ARGV;
		my @clients = map { IO::Socket::IP->new(PeerHost => "127.0.0.1",
			PeerPort => $port, LocalHost => $address) or die $@
			} 1 .. $count;
		my %told;
		for (@clients) { $told{<$_> // "nothing\n"}++ }
		print "$told{$_} $_" for sort keys %told' "$port" "$@"
}
listen -p -c 300 -b 300 127.0.0.1 0 sh -c "$show"
is "$(crowd 200 127.0.0.10)" '200 server.mail.test one.mail.test unset' \
	'200 clients at once'
stop "$server"

# --- the host on the command line ---

listen -H -l 0 one.mail.test 0 sh -c 'echo "$TCPLOCALIP"'
is "$(tcp-talk 127.0.0.10 "$port" </dev/null)" 127.0.0.10 'a host by its name'
stop "$server"
listen -H -l 0 six.mail.test,chain.mail.test 0 sh -c 'echo "$TCPLOCALIP"'
is "$(tcp-talk ::1 "$port" </dev/null)" ::1 'one of IPv6'
is "$(tcp-talk 127.0.0.10 "$(sed -n 2p "$work/port")" </dev/null)" 127.0.0.10 \
	'and an alias'
stop "$server"
is "$(failure -H -l 0 no.mail.test 0 true)" \
	'tcpserver: fatal: no IP address for no.mail.test
111' 'there is no such name'
is "$(failure -4 -H -l 0 six.mail.test 0 true)" \
	'tcpserver: fatal: no IP address for six.mail.test
111' '-4: nor a name that has IPv6 only'
is "$(failure -H -l 0 x.broken.test 0 true)" \
	'tcpserver: fatal: temporarily unable to figure out IP address for x.broken.test: no answer from the DNS
111' 'a DNS server that fails'

# --- a server that does not answer ---

start_silent_dns
DNSCACHEIP=127.0.0.1:$silent_port listen -v -t 1 127.0.0.1 0 sh -c "$show"
before=$(date +%s)
is "$(crowd 20 127.0.0.10)" '20 unset unset unset' 'a dead DNS server: no names'
after=$(date +%s)
[ $((after - before)) -le 10 ] && ok '20 clients wait for it together' ||
	not_ok '20 clients wait for it together' "$((after - before)) s"
stop "$server"

DNSCACHEIP=127.0.0.1:$silent_port listen -v -t 600 127.0.0.1 0 sh -c "$show"
hold "$work/held"
wait_until sh -c "kill -USR1 $server; grep -q 'waiting for its names' '$work/log'"
ok 'a client that waits for its names is in the table'
kill "$client"
wait_until sh -c "kill -USR1 $server; grep -q 'clients: 1 of 40' '$work/log'"
stop "$server"
DNSCACHEIP=127.0.0.1:$silent_port listen -v -t 2 127.0.0.1 0 sh -c "$show"
hold "$work/held"
wait_until sh -c "kill -USR1 $server; grep -q 'waiting for its names' '$work/log'"
kill -HUP "$server"
wait_for_line "$work/held" 'unset unset unset'
is "$(cat "$work/held")" 'unset unset unset' \
	'after a restart it waits no longer than before'
stop "$server"
# The first of the servers is dead; the second one is asked then.
DNSCACHEIP="127.0.0.1:$silent_port, 127.0.0.1:$dns_port" \
	listen -p 127.0.0.1 0 sh -c "$show"
is "$(from 127.0.0.10)" 'server.mail.test one.mail.test unset' \
	'one of two DNS servers is dead'
stop "$server"
DNSCACHEIP=127.0.0.1:1 listen 127.0.0.1 0 sh -c "$show"
is "$(from 127.0.0.10)" 'unset unset unset' 'no DNS server'
stop "$server"

# nsd ends: what has been learnt of the server itself stays.
listen -v -H 127.0.0.1 0 sh -c "$show"
is "$(from 127.0.0.10)" 'server.mail.test unset unset' "the server's own name"
DNSCACHEIP=127.0.0.1:$dns_port
listen_again=$server
stop "$dns_server"
is "$(from 127.0.0.10)" 'server.mail.test unset unset' 'is not asked for again'
stop "$listen_again"

listen -v -t 600 -h 127.0.0.1 0 sh -c "$show"
is "$(from 127.0.0.10)" 'unset unset unset' 'a DNS server that has ended'
stop "$server"

DNSCACHEIP='127.0.0.1 nonsense' listen -l 0 -H 127.0.0.1 0 true
is "$(cat "$work/log")" 'tcpserver: warning: DNSCACHEIP is no list of addresses: asking the servers of /etc/resolv.conf' \
	'a DNSCACHEIP that is none'
stop "$server"

# --- ident ---

# Addresses of our own, since the port is not: 113.
ours=127.$((1 + $$ / 200 % 200)).$((1 + $$ % 200))
# ident N ANSWER: a server at $ours.N
ident() {
	ident-server "$ours.$1" "$2" >"$work/ident.$1" &
	ident=$!
	started="$started $ident"
	wait_until sh -c "grep -q ready '$work/ident.$1' || ! kill -0 $ident"
	grep -q ready "$work/ident.$1"
}
if ident 1 'PORTS : USERID : UNIX : joe' && ident 2 'PORTS : ERROR : NO-USER' &&
	ident 3 '' && ident 4 "$(printf 'PORTS:USERID:X: a:b\033%%=\377 c')" &&
	ident 5 'PORTS:USERID:UNIX:ann'; then
	rules "$work/info.cdb" <<-END
		joe@$ours.1:allow,R="joe"
		ann@$ours.5:deny
		:allow,R="somebody"
	END
	listen -v -r -H -l 0 -x "$work/info.cdb" 127.0.0.1 0 sh -c \
		'echo "${TCPREMOTEINFO-unset} $R"; echo "$TCPREMOTEPORT" >'"$work/told"
	is "$(from $ours.1)" 'joe joe' 'ident: a user, and his rule'
	is "$(tail -n 1 "$work/ident.1")" \
		"127.0.0.1 asks $(cat "$work/told") , $port" \
		'the question, from our address'
	is "$(from $ours.2)" 'unset somebody' 'ident: no user'
	is "$(from 127.0.0.10)" 'unset somebody' 'ident: no server'
	is "$(from $ours.4)" 'a:b?%=?c somebody' 'ident: strange bytes'
	is "$(from $ours.5)" '' 'ident: a rule that denies'
	wait_for_count 6 'status: 0/40'
	mask >"$work/masked"
	like "$(cat "$work/masked")" \
		"^tcpserver: ok P1 0:127\.0\.0\.1:LP :$ours\.1:joe:RP$" \
		'the user is in the log'
	like "$(cat "$work/masked")" ":a\?b\?\?=\?c:RP$" \
		'what is strange there, is not'
	stop "$server"

	listen -v -r -H -l 0 -t 600 127.0.0.1 0 sh -c "$show"
	hold "$work/slow" -f $ours.3
	wait_for_line "$work/ident.3" asks
	is "$(from $ours.1)" '0 unset joe' 'nobody waits for another one'
	is "$(cat "$work/slow")" '' 'who does not answer is waited for'
	stop "$server"
	listen -r -H -l 0 -t 1 127.0.0.1 0 sh -c "$show"
	is "$(from $ours.3)" '0 unset unset' 'no longer than -t says'
	stop "$server"
	listen -r -H -l 0 127.0.0.1 0 sh -c 'ls /proc/self/fd'
	is "$(from $ours.1)" "$(sh -c 'ls /proc/self/fd' 3>&- 4>&-)" \
		'the program gets no descriptor of it'
	stop "$server"
elif [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ]; then
	not_ok 'ident' "port 113: $(cat "$work/ident-errors")"
else
	for name in answers deadline descriptors; do
		skip 'port 113 takes root' "ident: $name"
	done
fi

done_testing
