#!/bin/sh
# tcpserver execs itself: no client is refused or lost, sessions and limits are
# counted on. And ten thousand clients who do nothing.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # the programs' shells expand
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tcpserver.sh
. "$tests/tcpserver.sh"
need perl tcprules prlimit

# --- under load ---

listen -v -R -H -l 0 -c 200 -b 1000 127.0.0.1 0 echo 220
pid=$server
storm "$port" 10000 1000 1000 >"$work/storm" &
client=$!
started="$started $client"
i=0
while [ $i -lt 10 ]; do
	i=$((i + 1))
	while [ "$(grep -c ' ok ' "$work/log")" -lt $((i * 800)) ]; do
		sleep 0.02
		kill -0 "$client" 2>/dev/null || break
	done
	kill -HUP "$server"
done
wait "$client"
is "$(grep -v '^[0-9]' "$work/storm")" 'good 220 10
storm 220 10000' '10,000 connections while SIGHUP comes ten times: each is served'
wait_for_count 10010 ' end [0-9]* status 0$'
is "$(tail -n 1 "$work/log")" 'tcpserver: status: 0/200' \
	'every session was seen to end'
restarts=$(awk '$2 == "status:" { if (last == "status:") n++ } { last = $2 } END { print n + 0 }' "$work/log")
like "$restarts" '^[1-9]' 'there were restarts'
is "$(mask | grep -c ' [?] ')" 0 'and no session that the log did not know'
kill -0 "$pid" && ok 'it is the same process'
is "$(grep -c 'warning' "$work/log")" 0 'with no warning'
stop "$server"

# --- what is carried over ---

rules "$work/rules.cdb" <<'RULES'
127.0.0.1:allow,PROXY="1"
127.0.0.6:allow,MAXCONNIP="2"
127.0.0.7:allow,MAXRATEIP="2"
:allow
RULES
listen -v -R -H -l 0 -c 10 -x "$work/rules.cdb" 0,127.0.0.9 0,0 \
	sh -c 'trap "exit 7" TERM; echo served $TCPREMOTEIP; read -r line'
cp "$work/port" "$work/ports"
fds=$(ls "/proc/$server/fd")
hold "$work/first" -f 127.0.0.6
first=$client
hold "$work/second" -f 127.0.0.6
second=$client
wait_for_line "$work/first" served
wait_for_line "$work/second" served
is "$(talk -f 127.0.0.6)" '' 'MAXCONNIP before the restart'
restart
is "$(tail -n 1 "$work/log")" 'tcpserver: status: 2/10' \
	'running sessions are counted on'
is "$(talk -f 127.0.0.6)" '' 'and after it the sessions count for MAXCONNIP'
wait_for_count 2 ' MAXCONNIP:2$'
stop "$first"
wait_for_count 1 ' end [0-9]* status 256$'
hold "$work/third" -f 127.0.0.6
wait_for_line "$work/third" served
ok 'until one of them leaves'
stop "$client"
stop "$second"
wait_for_count 3 ' end [0-9]* status 256$'
is "$(ls "/proc/$server/fd")" "$fds" 'no descriptor more or less'
is "$(cat "$work/port")" "$(cat "$work/ports")" '-1 says nothing again'
hold "$work/rate.1" -f 127.0.0.7
one=$client
wait_for_line "$work/rate.1" served
restart
hold "$work/rate.2" -f 127.0.0.7
wait_for_line "$work/rate.2" served
stop "$one"
stop "$client"
wait_for_count 5 ' end [0-9]* status 256$'
restart
is "$(talk -f 127.0.0.7)" '' 'a rate goes on, too'
wait_for_line "$work/log" ' MAXRATEIP:2$'

mkfifo "$work/words"
tcp-talk 127.0.0.1 "$port" <"$work/words" >"$work/proxied" &
client=$!
started="$started $client"
exec 9>"$work/words"
printf 'PROXY TCP4 203.0.113.7 ' >&9
kill -USR1 "$server"
until grep -q 'waiting for its proxy' "$work/log"; do
	kill -USR1 "$server"
	sleep 0.02
done
restart
printf '198.51.100.1 4711 25\r\n' >&9
wait_for_line "$work/proxied" 'served 203.0.113.7'
ok 'half a PROXY header before, the other half after it'
restart
kill -USR1 "$server"
wait_for_line "$work/log" \
	'^tcpserver: client [0-9]+ from 203\.0\.113\.7 port 4711 at 0\.0\.0\.0 port [0-9]+ for [0-9]+ seconds$'
ok 'whose session it still knows'
exec 9>&-
stop "$client"
stop "$server"

# --- many who do nothing ---

# idle PORT COUNT FILE: so many clients, who stay until they are killed; FILE is
# there when all are served
cat >"$work/idle" <<'PERL'
use strict;
use warnings;
use Socket;
my ($port, $count, $file) = @ARGV;
my @clients;
$SIG{TERM} = sub { exit };
alarm 120;
for my $i (1 .. $count) {
	socket my $client, PF_INET, SOCK_STREAM, 0 or die "idle: $!\n";
	connect $client, sockaddr_in($port, INADDR_LOOPBACK)
		or die "idle: connect: $!\n";
	push @clients, $client;
}
sysread $_, my $text, 100 or die "idle: lost one\n" for @clients;
open my $done, '>', $file or die "$file: $!\n";
close $done;
sleep 120;
PERL
listen -v -R -H -l 0 -c 1000 -b 1000 127.0.0.1 0 sh -c 'echo served; exec cat'
perl "$work/idle" "$port" 500 "$work/all" 2>"$work/idle.log" &
idle=$!
started="$started $idle"
wait_until test -f "$work/all"
is "$(cat "$work/idle.log")" '' '500 clients who do nothing'
restart
is "$(tail -n 1 "$work/log")" 'tcpserver: status: 500/1000' \
	'all of them are counted on after a restart'
kill -USR1 "$server"
wait_for_line "$work/log" 'clients: 500 of 1000'
is "$(grep '^tcpserver: client ' "$work/log" | cut -d ' ' -f 3 | sort -u | wc -l)" \
	500 'SIGUSR1 shows each of them'
is "$(grep -vc '^tcpserver: [a-z]*:\{0,1\} ' "$work/log")" 0 'in whole lines'
hold "$work/first"
wait_for_line "$work/first" served
stop "$client"
wait_for_line "$work/log" 'end [0-9]+ status 0$'
ok 'among them the end of one is seen'
stop "$idle"
wait_for_count 501 ' end [0-9]* status 0$'
is "$(tail -n 1 "$work/log")" 'tcpserver: status: 0/1000' 'as are all of theirs at once'
stop "$server"

# --- the signals themselves ---

listen -v -R -H -l 0 127.0.0.1 0 perl -e '
	use POSIX; my $blocked = POSIX::SigSet->new;
	sigprocmask(SIG_BLOCK, POSIX::SigSet->new, $blocked);
	print join(" ", (grep { $blocked->ismember($_) } 1 .. 31),
		map { $SIG{$_} // "DEFAULT" } qw(PIPE CHLD TERM HUP USR1)), "\n"'
restart
is "$(talk)" 'DEFAULT DEFAULT DEFAULT DEFAULT DEFAULT' \
	'programs get their signals as at the start'
kill -TERM "$server"
code=0
wait "$server" || code=$?
is "$code" 0 'SIGTERM after a restart'
listen -R -H -l 0 -Q 127.0.0.1 0 sh -c 'echo served; read -r x'
hold "$work/first"
wait_for_line "$work/first" served
kill -USR1 "$server"
wait_for_line "$work/log" 'clients: 1 of 40'
is "$(sed 's/client [0-9]*/client N/; s/port [0-9]*/port N/g
	s/for [0-9]* s/for N s/' "$work/log")" \
	'tcpserver: client N from 127.0.0.1 port N at 127.0.0.1 port N for N seconds
tcpserver: clients: 1 of 40' 'SIGUSR1 without -v'
stop "$client"
stop "$server"
listen -R -H -l 0 -q 127.0.0.1 0 echo served
kill -USR1 "$server"
kill -HUP "$server"
is "$(talk)" served 'signals with -q'
is "$(cat "$work/log")" '' 'which says nothing'
stop "$server"

# --- an exec that fails ---

mkdir "$work/bin"
cp "$bin/tcpserver" "$work/bin/tcpserver"
tcpserver=$work/bin/tcpserver
listen -v -R -H -l 0 127.0.0.1 0 sh -c 'echo served; read -r x'
tcpserver=
hold "$work/first"
wait_for_line "$work/first" served
mv "$work/bin/tcpserver" "$work/bin/away"
kill -HUP "$server"
wait_for_line "$work/log" '^tcpserver: warning: unable to restart: file does not exist$'
fds=$(ls "/proc/$server/fd")
kill -HUP "$server"
wait_for_count 2 'unable to restart'
is "$(ls "/proc/$server/fd")" "$fds" 'the program is gone: nothing is left open'
hold "$work/second"
wait_for_line "$work/second" served
ok 'and it goes on'
stop "$client"
wait_for_count 1 ' end '
mv "$work/bin/away" "$work/bin/tcpserver"
restart
kill -USR1 "$server"
wait_for_line "$work/log" 'clients: 1 of 40'
ok 'until it is there again'
stop "$server"
if [ "$(id -u)" -eq 0 ]; then
	nobody=$((1000000 + 2 * $$))    # an id that owns no process
	chmod 711 "$work" "$work/bin"
	tcpserver=$work/bin/tcpserver
	listen -v -R -H -l 0 -u $nobody -g 999999 127.0.0.1 0 sh -c 'id -u; id -G'
	# shellcheck disable=SC2034 # for listen
	tcpserver=
	restart
	is "$(talk)" "$nobody
999999" '-u and -g are done once, and hold'
	stop "$server"
else
	skip 'needs root' '-u and -g are done once, and hold'
fi
if can_trace 'failing calls in a restart'; then
	# The first write prints the port.
	for call in memfd_create:1 write:2 lseek:1; do
		under="strace -D -o $work/trace -e trace=${call%:*}
			-e inject=${call%:*}:error=ENOSPC:when=${call#*:}"
		listen -Q -R -H -l 0 127.0.0.1 0 echo served
		under=
		kill -HUP "$server"
		wait_for_line "$work/log" 'unable to restart: '
		is "$(talk)" served "a failing ${call%:*} in it: it goes on"
		stop "$server"
	done
fi
TCPSERVER_RESTART=3 listen -v -R -H -l 0 127.0.0.1 0 sh -c 'echo ${TCPSERVER_RESTART-unset}' 3</dev/null
is "$(talk)" unset 'a variable that no predecessor has set'
stop "$server"

done_testing
