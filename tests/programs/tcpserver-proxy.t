#!/bin/sh
# tcpserver behind a balancer: the PROXY header of those who are trusted.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # the programs' shells expand
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tcpserver.sh
. "$tests/tcpserver.sh"
need perl tcprules prlimit

rules "$work/rules.cdb" <<'RULES'
127.0.0.1:allow,PROXY="1",WHO="balancer"
127.0.0.2:deny,PROXY="1"
127.0.0.3:allow,PROXY="0",WHO="no balancer"
127.0.0.4:allow,PROXY="",WHO="no balancer"
127.0.0.5:allow,PROXY="1",PROXY="0",WHO="no balancer"
203.0.113.9:deny
203.0.113.10:allow,PROXY="1",WHO="ten",OTHER="1"
2001:db8::7:allow,WHO="seven"
=:allow,WHO="has a host"
:allow,WHO="other"
RULES

# say PERL [OPTION…]: a client that says what the Perl string is, to its end,
# and prints what it is told
say() {
	say_text=$1
	shift
	perl -e 'binmode STDOUT; print eval qq("$ARGV[0]")' "$say_text" |
		tcp-talk "$@" 127.0.0.1 "$port"
}
# The same a byte at a time.
say_slowly() {
	perl -e '$| = 1; for my $byte (split //, eval qq("$ARGV[0]")) {
		print $byte;
		select undef, undef, undef, 0.005 }' "$1" |
		tcp-talk 127.0.0.1 "$port"
}
# What the program of these is given, on one line, and the line it reads.
serve() {
	listen -v -R -H -l server.example -x "$work/rules.cdb" "$@" 127.0.0.1 0 \
		sh -c 'read -r line; echo $PROTO $TCPREMOTEIP:$TCPREMOTEPORT $TCPLOCALIP:$TCPLOCALPORT ${PROXY-no PROXY}, $WHO: "$line"'
}
tcp4='PROXY TCP4 203.0.113.7 198.51.100.1 4711 25\r\n'
tcp6='PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n'
magic='\r\n\r\n\0\r\nQUIT\n'
v2_tcp4="$magic"'\x21\x11\0\x0c\xcb\0\x71\7\xc6\x33\x64\1\x12\x67\0\x19'
v2_tcp6="$magic"'\x21\x21\0\x24\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\7\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x12\x67\0\x19'
v2_local="$magic"'\x20\0\0\0'
v4_given='TCP 203.0.113.7:4711 198.51.100.1:25 no PROXY, other:'
v6_given='TCP6 2001:db8::7:4711 2001:db8::1:25 no PROXY, seven:'

# --- good ones ---

serve
is "$(say "${tcp4}hello\\n")" "$v4_given hello" \
	'version 1: its addresses, and the program reads what is behind it'
is "$(say "${tcp6}hello\\n")" "$v6_given hello" 'version 1, IPv6'
is "$(say "${v2_tcp4}hello\\n")" "$v4_given hello" 'version 2'
is "$(say "${v2_tcp6}hello\\n")" "$v6_given hello" 'version 2, IPv6'
is "$(say_slowly "${tcp4}hello\\n")" "$v4_given hello" \
	'version 1, a byte at a time'
is "$(say_slowly "${v2_tcp6}hello\\n")" "$v6_given hello" \
	'version 2, a byte at a time'
is "$(say "${tcp4}${tcp6}")" "$v4_given $(printf 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r')" \
	'only one header is read'
own="^TCP 127\\.0\\.0\\.1:[0-9]+ 127\\.0\\.0\\.1:$port no PROXY, balancer: hello"
like "$(say 'PROXY UNKNOWN\r\nhello\n')" "$own" \
	'version 1, UNKNOWN: the balancer itself'
like "$(say 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nhello\n')" "$own" \
	'whatever stands behind it'
like "$(say "${v2_local}hello\\n")" "$own" 'version 2, LOCAL: the balancer itself'
is "$(say 'PROXY TCP4 203.0.113.10 198.51.100.1 1 2\r\nx\n')" \
	'TCP 203.0.113.10:1 198.51.100.1:2 no PROXY, ten: x' \
	"the client's rule counts, and its PROXY asks for no second header"
is "$(say 'PROXY TCP4 203.0.113.9 198.51.100.1 1 2\r\nx\n')" '' \
	"it may deny"
wait_for_count 12 ' end '
like "$(cat "$work/log")" \
	'^tcpserver: deny [0-9]+ server.example:198.51.100.1:2 :203.0.113.9::1$' \
	'and is logged with his address'
is "$(mask | sed -n '2,4p')" 'tcpserver: status: 1/40
tcpserver: pid P1 from 203.0.113.7
tcpserver: ok P1 server.example:198.51.100.1:25 :203.0.113.7::RP' \
	'as is one who is served'

# --- bad ones ---

bad() {
	is "$(say "$1")" '' "no header: $2"
}
bad 'EHLO client.example\r\n' 'SMTP'
bad 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 99999\r\nx\n' 'a port too large'
bad 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 25\nx\n' 'no CR'
bad "${magic}\\x31\\x11\\0\\x0c" 'version 3'
bad 'PROXY TCP4 2001:db8::7 198.51.100.1 4711 25\r\nx\n' 'the wrong family'
wait_for_count 17 ' end '
is "$(grep -c 'warning: dropping connection, unable to read a PROXY header from 127.0.0.1 port [0-9]*: protocol error$' "$work/log")" \
	5 'each with a warning'
is "$(tail -n 5 "$work/log" | sed -E 's/(pid|port|end) [0-9]+/\1 N/')" 'tcpserver: status: 1/40
tcpserver: pid N from 127.0.0.1
tcpserver: warning: dropping connection, unable to read a PROXY header from 127.0.0.1 port N: protocol error
tcpserver: end N status 28416
tcpserver: status: 0/40' 'and its lines of the log'
perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]");
	print $s "PROXY TCP4 203.0.113.7"' "$port"
wait_for_line "$work/log" 'read a PROXY header from .*: connection reset'
ok 'a connection that ends within it'
stop "$server"

# --- late ones, and those who wait ---

serve -c 4 -B '220 hello '
for i in 1 2 3; do
	tcp-talk -c "$work/connected.$i" 127.0.0.1 "$port" <"$work" \
		>"$work/late.$i" 2>&1 &
	started="$started $!"
done
for i in 1 2 3; do wait_until test -f "$work/connected.$i"; done
is "$(say "${tcp4}hello\\n")" "220 hello $v4_given hello" \
	'others are served while three say nothing'
is "$(say 'hello\n' -f 127.0.0.3 | sed 's/:[0-9]* 127.0.0.1:[0-9]*//')" \
	'220 hello TCP 127.0.0.3 no PROXY, no balancer: hello' \
	'as are those without a balancer'
is "$(cat "$work"/late.*)" '' 'no banner before the header'
like "$(grep 'status: ' "$work/log" | tail -n 2 | head -n 1)" 'status: 4/4' \
	'who is waited for has a place of -c'
kill -USR1 "$server"
wait_for_line "$work/log" 'clients: 3 of 4$'
is "$(grep -Ec '^tcpserver: client - from 127\.0\.0\.1 port [0-9]+ at 127\.0\.0\.1 port [0-9]+ for [0-9]+ seconds, waiting for its proxy$' "$work/log")" \
	3 'SIGUSR1 shows them'
before=$(grep -c 'status: 3/4' "$work/log")
kill -HUP "$server"
wait_for_count $((before + 1)) 'status: 3/4'
ok 'they are counted on after a restart'
wait_for_count 3 ': timed out$'
ok 'after some seconds they are dropped'
is "$(cat "$work"/late.*)" '' 'and told nothing'
wait_for_line "$work/log" 'status: 0/4'
stop "$server"

serve
say "${tcp4}hello\\n" >/dev/null        # the rules are open then
before=$(ls "/proc/$server/fd")
files=$(prlimit --nofile --output SOFT --noheadings -p "$server")
prlimit --nofile=3: -p "$server"
is "$(talk)" '' 'no descriptor to keep one who has to be waited for: dropped'
wait_for_line "$work/log" 'warning: dropping connection, unable to wait for the client: '
prlimit --nofile="$files": -p "$server"
is "$(say "${tcp4}hello\\n")" "$v4_given hello" 'and the next one is served'
is "$(ls "/proc/$server/fd")" "$before" 'with nothing left open'
stop "$server"

# --- those who are not trusted ---

serve
for from in 3 4 5; do
	like "$(say "$tcp4" -f 127.0.0.$from)" \
		"^TCP 127\\.0\\.0\\.$from:[0-9]+ 127.0.0.1:$port no PROXY, no balancer: PROXY TCP4 203.0.113.7 " \
		"127.0.0.$from: its header is for the program"
done
is "$(say "$tcp4" -f 127.0.0.2)" '' 'one who is denied is not trusted'
wait_for_count 4 ' end '
like "$(cat "$work/log")" ' deny [0-9]+ server.example:127.0.0.1:[0-9]+ :127.0.0.2::' \
	'but denied'
stop "$server"
listen -R -H -l 0 127.0.0.1 0 sh -c 'read -r line; echo $TCPREMOTEIP "$line"'
PROXY=1 like "$(say "$tcp4")" '^127.0.0.1 PROXY TCP4' 'without rules nobody is'
stop "$server"
rm "$work/rules.cdb"
serve -X
like "$(say "$tcp4")" '127.0.0.1:[0-9]+ .*: PROXY TCP4' 'nor with -X when there are none'
stop "$server"

done_testing
