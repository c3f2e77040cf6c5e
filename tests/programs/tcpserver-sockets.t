#!/bin/sh
# tcpserver's sockets: several hosts and ports, those that somebody else has
# opened, who is told that it listens, and the limit out of a file.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # the programs' shells expand
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tcpserver.sh
. "$tests/tcpserver.sh"
need perl tcprules

# at ADDRESS PORT: what one is told there
at() {
	tcp-talk "$1" "$2" </dev/null 2>&1
}
ports() {
	tr '\n' ' ' <"$work/port"
}
where='echo $TCPLOCALIP $TCPLOCALPORT'

# given NUMBER ADDRESS VARIABLES PROGRAM…: so many listening sockets from
# descriptor 3 on, their ports in $work/given; in VARIABLES, PID is the pid.
cat >"$work/given-sockets" <<'PERL'
use strict;
use warnings;
use Fcntl;
use IO::Socket::IP;
my ($number, $address, $variables, @program) = @ARGV;
my (@sockets, @ports);
for (1 .. $number) {
	push @sockets, IO::Socket::IP->new(LocalHost => $address,
		LocalPort => 0, Proto => 'tcp', Listen => 20) or die "$@\n";
	push @ports, $sockets[-1]->sockport;
}
# Copies far above first, so that none is overwritten.
my @high = map { fcntl($_, F_DUPFD, 100) or die "dup: $!\n" } @sockets;
require POSIX;
POSIX::dup2($high[$_], 3 + $_) // die "dup2: $!\n" for 0 .. $#high;
POSIX::close($_) for @high;
$^F = 2 + $number;
for my $variable (split ' ', $variables) {
	my ($name, $value) = split /=/, $variable;
	$ENV{$name} = $value eq 'PID' ? $$ : $value;
}
open my $given, '>', "$ENV{work}/given.new" or die "given: $!\n";
print $given map { "$_\n" } @ports;
close $given;
rename "$ENV{work}/given.new", "$ENV{work}/given";
exec @program or die "exec: $!\n";
PERL
export work

# --- several at once ---

listen -v -R -H -l 0 127.0.0.1,127.0.0.2 0,0 sh -c "$where"
# shellcheck disable=SC2046 # words
set -- $(ports)
is "$#" 4 'two hosts and two ports: four sockets'
is "$(at 127.0.0.1 "$1") $(at 127.0.0.1 "$2") $(at 127.0.0.2 "$3") $(at 127.0.0.2 "$4")" \
	"127.0.0.1 $1 127.0.0.1 $2 127.0.0.2 $3 127.0.0.2 $4" \
	'each serves, and the program is told which it was'
like "$(at 127.0.0.1 "$3")" 'tcp-talk: 127.0.0.1 port .*refused' \
	'the ports of one host are not those of the other'
wait_for_count 4 ' end '
like "$(cat "$work/log")" " ok [0-9]* 0:127\\.0\\.0\\.2:$4 :127\\.0\\.0\\.1::" \
	'so is the log'
stop "$server"
listen -v -R -H -l 0 -c 3 127.0.0.1,127.0.0.2 0 sh -c 'echo served; read -r x'
first=$(sed -n 1p "$work/port")
second=$(sed -n 2p "$work/port")
hold "$work/one"
hold "$work/two"
wait_for_line "$work/two" served
tcp-talk 127.0.0.2 "$second" </dev/null >"$work/three" &
started="$started $!"
wait_for_line "$work/three" served
hold "$work/four"
four=$client
tcp-talk -c "$work/connected" 127.0.0.2 "$second" </dev/null >"$work/five" &
started="$started $!"
wait_until test -f "$work/connected"
is "$(cat "$work/four" "$work/five")" '' '-c counts the clients of all together'
stop "$client"
stop "$server"
stop "$four"
listen -v -R -H -l 0 127.0.0.1 "$first,0" sh -c "$where"
is "$(at 127.0.0.1 "$first")" "127.0.0.1 $first" 'a given port in a list'
stop "$server"
if has_ipv6 'a host of each family'; then
	listen -v -R -H -l 0 127.0.0.1,::1 0 sh -c "$where"
	is "$(at 127.0.0.1 "$(sed -n 1p "$work/port")") $(at ::1 "$(sed -n 2p "$work/port")")" \
		"127.0.0.1 $(sed -n 1p "$work/port") ::1 $(sed -n 2p "$work/port")" \
		'a host of each family'
	stop "$server"
fi
is "$(failure 127.0.0.1 "0,nosuchservice" true)" \
	'tcpserver: fatal: unable to figure out port number for nosuchservice
111' 'one port of a list is none'
is "$(failure 127.0.0.1 "0," true)" \
	'tcpserver: fatal: unable to figure out port number for 
111' 'nor is an empty one'
is "$(failure 127.0.0.1,no..host 0 true)" \
	'tcpserver: fatal: no IP address for no..host
111' 'one host of a list is none'
is "$(failure 127.0.0.1, 0 true)" \
	'tcpserver: fatal: no IP address for 
111' 'nor is an empty one'
is "$(failure 127.0.0.1,192.0.2.1 0 true)" \
	'tcpserver: fatal: unable to bind: address not available
111' 'one that cannot be had ends it'

# --- sockets that are there ---

# start_given NUMBER ADDRESS VARIABLES ARGUMENT…
start_given() {
	given_number=$1 given_address=$2 given_variables=$3
	shift 3
	rm -f "$work/given"
	perl "$work/given-sockets" "$given_number" "$given_address" \
		"$given_variables" "$@" 2>"$work/log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/given"
	port=$(head -n 1 "$work/given")
}
start_given 2 127.0.0.1 'LISTEN_PID=PID LISTEN_FDS=2 LISTEN_FDNAMES=a:b NOTIFY_SOCKET=' \
	tcpserver -v -R -H -l 0 192.0.2.1 1 \
	sh -c 'echo $TCPLOCALIP:$TCPLOCALPORT $(env | grep -cE "^(LISTEN|NOTIFY)_"); ls /proc/$$/fd'
second=$(sed -n 2p "$work/given")
is "$(talk | head -n 1) $(at 127.0.0.1 "$second" | head -n 1)" \
	"127.0.0.1:$port 0 127.0.0.1:$second 0" \
	'LISTEN_FDS: its sockets, whatever host and port say'
unlike "$(talk)" '^[34]$' 'and the program has neither them nor the variables'
stop "$server"
for words in 'LISTEN_PID=1 LISTEN_FDS=1' 'LISTEN_FDS=1' 'LISTEN_PID=PID' \
	'LISTEN_PID=x LISTEN_FDS=1'; do
	start_given 1 127.0.0.1 "$words" tcpserver -R -H -l 0 192.0.2.1 1 true
	wait "$server"
	is "$(cat "$work/log")" \
		'tcpserver: fatal: unable to bind: address not available' \
		"not for us: $words"
done
start_given 1 127.0.0.1 'LISTEN_PID=PID LISTEN_FDS=2' tcpserver -R -H -l 0 0 0 true
code=0
wait "$server" || code=$?
like "$code $(cat "$work/log")" \
	'^111 tcpserver: fatal: unable to listen on descriptor 4: ' \
	'fewer sockets than promised'
start_given 1 127.0.0.1 'LISTEN_PID=PID LISTEN_FDS=x' tcpserver -R -H -l 0 0 0 true
wait "$server"
like "$(cat "$work/log")" '^tcpserver: fatal: unable to understand LISTEN_FDS: ' \
	'LISTEN_FDS is no number'
start_given 1 127.0.0.1 '' sh -c 'exec tcpserver -v -R -H -l 0 - x sh -c '"'$where; ls /proc/\$\$/fd'"' <&3 3<&-'
is "$(talk | head -n 1)" "127.0.0.1 $port" 'the host "-": descriptor 0 listens'
is "$(talk | sed 1d | tr '\n' ' ')" \
	"$(sh -c 'ls /proc/$$/fd' </dev/null | tr '\n' ' ')" \
	'and the program has only its connection'
stop "$server"
start_given 1 127.0.0.1 '' sh -c 'exec tcpserver -D -R -H -l 0 - x perl -MSocket=IPPROTO_TCP,TCP_NODELAY -e "printf qq(%d\n), unpack q(i), getsockopt STDIN, IPPROTO_TCP, TCP_NODELAY" <&3 3<&-'
is "$(talk)" 1 '-D on a socket that was given'
stop "$server"
rm -f "$work/port"
start_given 1 127.0.0.1 '' sh -c 'exec tcpserver -1 -v -R -H -l 0 - x true <&3 3<&- >"$work/port"'
wait_until test -s "$work/port"
is "$(cat "$work/port")" "$port" '-1 prints its port'
stop "$server"
like "$(failure - 0 true </dev/null)" \
	'^tcpserver: fatal: unable to listen on descriptor 0: .*ocket' 'descriptor 0 is no socket'
is "$(perl -MSocket -e 'socket STDIN, AF_INET, SOCK_STREAM, 0; close STDIN;
	socket STDIN, AF_INET, SOCK_STREAM, 0; exec @ARGV' \
	tcpserver - 0 true 2>&1)" \
	'tcpserver: fatal: unable to listen on descriptor 0: Invalid argument' \
	'descriptor 0 does not listen'
is "$(perl -MSocket -e 'close STDIN; socket STDIN, AF_UNIX, SOCK_STREAM, 0;
	bind STDIN, sockaddr_un(shift); listen STDIN, 1; exec @ARGV' \
	"$work/unix" tcpserver - 0 true 2>&1)" \
	'tcpserver: fatal: unable to listen on descriptor 0: Invalid argument' \
	'descriptor 0 is of another kind'
is "$(failure - 0)" "$(failure 0 0)" 'a "-" needs a port and a program all the same'

if command -v systemd-socket-activate >/dev/null; then
	free=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
		LocalAddr => "127.0.0.1", Listen => 1)->sockport')
	systemd-socket-activate -l "127.0.0.1:$free" -E PATH="$PATH" \
		"$bin/tcpserver" -v -R -H -l 0 0 0 sh -c "$where" \
		>"$work/activate" 2>&1 &
	server=$!
	started="$started $server"
	port=$free
	wait_for_line "$work/activate" Listening
	is "$(talk) $(talk)" "127.0.0.1 $free 127.0.0.1 $free" \
		'started by systemd with its first client'
	stop "$server"
else
	skip 'no systemd-socket-activate' 'started by systemd with its first client'
fi

# --- who is told ---

mkfifo "$work/ready"
tcpserver -f 7 -v -R -H -l 0 127.0.0.1 0 sh -c 'ls /proc/$$/fd' \
	7>"$work/ready" 2>"$work/log" &
server=$!
started="$started $server"
is "$(od -An -c <"$work/ready" | tr -d ' ')" '\n' \
	'-f: a newline, and the descriptor is closed'
stop "$server"
tcpserver -f 7 -v -R -H -l 0 192.0.2.1 0 true 7>"$work/ready" 2>"$work/log" &
server=$!
is "$(od -An -c <"$work/ready")" '' 'but nothing when it cannot listen'
wait "$server"
like "$(failure -f 2 127.0.0.1 0 true)" '^tcpserver: option -f takes a number from 3 to ' \
	'-f is not for the log'

# notified SOCKET-NAME ARGUMENT…: what a manager on that socket is told first
notified() {
	notified_name=$1
	shift
	rm -f "$work/told" "$work/manager-is-there"
	perl -MSocket -MIO::Handle -e '
		my ($name, $file, $there) = @ARGV;
		$name =~ s/^@/\0/;
		socket my $manager, AF_UNIX, SOCK_DGRAM, 0 or die;
		bind $manager, sockaddr_un($name) or die "bind: $!";
		open my $ready, ">", $there;
		alarm 60;
		open my $told, ">", $file;
		$told->autoflush;
		while (1) {
			defined recv $manager, my $text, 4096, 0 or die;
			print $told "$text\n";
		}' "$notified_name" "$work/told" "$work/manager-is-there" &
	manager=$!
	started="$started $manager"
	wait_until test -f "$work/manager-is-there"
	NOTIFY_SOCKET=$notified_name listen "$@"
	wait_for_line "$work/told" READY
}
notified "$work/manager" -v -R -H -l 0 127.0.0.1 0 env
is "$(cat "$work/told")" READY=1 'sd_notify: a path'
unlike "$(talk)" NOTIFY 'which is not for the program'
kill -HUP "$server"
wait_for_line "$work/told" MONOTONIC
talk >"$work/environment"
like "$(sed 's/[0-9]\{3,\}$/TIME/' "$work/told" | tr '\n' ' ')" \
	'^READY=1 RELOADING=1 MONOTONIC_USEC=TIME READY=1 $' 'a restart is told, too'
unlike "$(cat "$work/environment")" 'NOTIFY|TCPSERVER_RESTART' \
	'and not to the program'
stop "$server"
stop "$manager"
notified "@chainmail.$$" -v -R -H -l 0 127.0.0.1 0 true
is "$(cat "$work/told")" READY=1 'sd_notify: an abstract name'
stop "$server"
stop "$manager"
NOTIFY_SOCKET=$work/nobody listen -R -H -l 0 127.0.0.1 0 echo served
is "$(talk)" served 'nobody there to be told: it serves'
is "$(cat "$work/log")" \
	'tcpserver: warning: unable to notify the manager: file does not exist' \
	'with a warning'
stop "$server"

# --- its name ---

ln -s "$bin/tcpserver" "$work/sslserver"
tcpserver=$work/sslserver
listen -v -R -H -l 0 -x "$work/none.cdb" 127.0.0.1 0 true
talk
wait_for_count 2 'status: 0/40'
tcpserver=
is "$(cut -d ' ' -f 1,2 "$work/log" | sort | uniq -c | sed 's/^ *//')" \
	'1 sslserver: end
1 sslserver: pid
3 sslserver: status:
1 sslserver: warning:' 'every line begins with the name that it was started by'
stop "$server"

# --- the limit ---

echo 'connections: 2, as the manual says' >"$work/limit"
listen -v -R -H -l 0 -c "$work/limit" 127.0.0.1 0 true
wait_for_count 1 'status: 0/2$'
ok '-c and a file: its first number'
echo 3 >"$work/limit"
kill -HUP "$server"
wait_for_count 1 'status: 0/3$'
ok 'read again after SIGHUP'
echo none >"$work/limit"
kill -HUP "$server"
wait_for_count 2 'status: 0/3$'
is "$(grep warning "$work/log")" \
	"tcpserver: warning: unable to read $work/limit: there is no number in it" \
	'one that is of no use leaves it as it is, with a warning'
rm "$work/limit"
kill -HUP "$server"
wait_for_count 3 'status: 0/3$'
like "$(cat "$work/log")" "unable to read $work/limit: file does not exist" \
	'so does one that is gone'
stop "$server"
is "$(failure -c "$work/limit" 127.0.0.1 0 true)" \
	"tcpserver: fatal: unable to read $work/limit: file does not exist
111" 'at the start it must be there'
echo 4194305 >"$work/limit"
like "$(failure -c "$work/limit" 127.0.0.1 0 true)" \
	"^tcpserver: fatal: unable to read $work/limit: its number is too large" 'and no larger than -c may be'
: >"$work/limit"
like "$(cd "$work" && failure -c ./limit 127.0.0.1 0 true)" \
	'fatal: unable to read \./limit: there is no number in it$' 'a dot makes it a file, too'

done_testing
