#!/bin/sh
# tcpserver under clients, and command lines, that mean harm.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2154 # the programs' shells expand; from files read

# Port 113 takes root, at least in a network of one's own.
if [ "$(id -u)" -ne 0 ] && unshare -rn ip link set lo up 2>/dev/null; then
	exec unshare -rn sh -c 'ip link set lo up; exec "$0"' "$0"
fi
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tcpserver.sh
. "$tests/tcpserver.sh"
need perl tcprules

# --- an ident server that hangs up when its client is gone already ---

# The program of one client holds the sockets of the others open until its exec
# is through. Where that was forgotten, this ended the server within seconds.
ours=127.$((1 + $$ / 200 % 200)).$((1 + $$ % 200)).9
name='2000 clients whose ident server hangs up late'
listen -r -H -l 0 -c 60 -b 200 127.0.0.1 0 sh -c 'echo "220 $TCPREMOTEINFO"'
told=$(ident-storm $ours "$port" 2000 40 2>&1)
if [ $? -eq 77 ]; then skip 'port 113 takes root' "$name"
else is "$told" 2000 "$name"; fi
is "$(cat "$work/log")" '' 'and nothing to complain of'
stop "$server"

# --- a flood at one of two ports ---

# The clients wait in the backlogs: six at the first port before the one at the
# second. In which order they are served is printed.
cat >"$work/order" <<'PERL'
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
my ($pid, $flooded, $other) = @ARGV;
sub client { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => shift,
	Proto => 'tcp') // die "order: $@\n" }
alarm 60;
my $first = client($flooded);
sysread $first, my $text, 10 or die "order: not served\n";
my @flood = map { client($flooded) } 1 .. 6;
my $one = client($other);
close $first;
my $all = IO::Select->new(@flood, $one);
my $before = 0;
for (;;) {
	for my $client ($all->can_read) {
		print("$before\n"), exit if $client == $one;
		$before++;
		$all->remove($client);
		close $client;
	}
}
PERL
for ports in '1 2' '2 1'; do
	listen -R -H -l 0 -c 1 127.0.0.1 0,0 sh -c 'echo served; read -r x'
	# shellcheck disable=SC2046 # words
	like "$(perl "$work/order" "$server" $(for line in $ports; do
		sed -n "${line}p" "$work/port"; done))" '^[0-2]$' \
		"-c 1 and a flood at port $ports: the other's client has his turn"
	stop "$server"
done

# --- a descriptor for -f that is not there ---

# Some descriptor of the server's own would have had that number.
is "$( (exec 7>&-; failure -f 7 -R -H -l 0 127.0.0.1 0 true) )" \
	'tcpserver: fatal: unable to write to descriptor 7: Bad file descriptor
111' '-f and a descriptor that is closed'
is "$( (exec 3>&-; failure -f 3 -R -H -l 0 127.0.0.1 0 true) )" \
	'tcpserver: fatal: unable to write to descriptor 3: Bad file descriptor
111' 'also the lowest'
is "$( (exec 3>&-; failure -q -f 3 -R -H -l 0 127.0.0.1 0 true) )" '
111' 'in silence with -q'
# --- a balancer whose client has an IPv4 address and came to one of IPv6 ---

rules "$work/rules.cdb" <<'RULES'
:allow,PROXY="1"
RULES
for form in '-6 TCP6 ::ffff:192.0.2.1' '-D TCP 192.0.2.1'; do
	listen "${form%% *}" -R -H -l 0 -x "$work/rules.cdb" 127.0.0.1 0 \
		sh -c 'echo $PROTO $TCPREMOTEIP $TCPLOCALIP'
	is "$(printf 'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 25\r\n' |
		tcp-talk 127.0.0.1 "$port")" "${form#* } 2001:db8::1" \
		"ends of both families: ${form%% *}"
	stop "$server"
done
# --- whose rule it is ---

# A balancer that takes its time, and then speaks for itself: meanwhile another
# client's rule has been found.
rules "$work/rules.cdb" <<'RULES'
127.0.0.1:allow,PROXY="1",WHO="balancer"
:allow,WHO="another",RELAYCLIENT=""
RULES
listen -R -H -l 0 -x "$work/rules.cdb" 127.0.0.1 0 \
	sh -c 'echo "$WHO ${RELAYCLIENT-may not relay}"'
mkfifo "$work/words"
tcp-talk -c "$work/connected" 127.0.0.1 "$port" <"$work/words" >"$work/told" &
balancer=$!
started="$started $balancer"
exec 9>"$work/words"
wait_until test -f "$work/connected"
kill -USR1 "$server"
until grep -q 'waiting for its proxy' "$work/log"; do
	kill -USR1 "$server"
	sleep 0.02
done
is "$(talk -f 127.0.0.2)" 'another ' 'a client while a balancer is waited for'
printf 'PROXY UNKNOWN\r\n' >&9
wait "$balancer"
exec 9>&-
is "$(cat "$work/told")" 'balancer may not relay' \
	'and the balancer is not taken for him'
stop "$server"

# --- limits, for clients who are looked up ---

# Nobody answers; the names are given up after a while, or at once.
MAXCONNIP=2 DIEMSG=421 listen -v -c 10 -t 1 127.0.0.1 0 \
	sh -c 'echo 220 hello; exec cat >/dev/null'
is "$(crowd "$port" 127.0.0.2 127.0.0.2 127.0.0.2 127.0.0.3)" \
	'127.0.0.2 220 hello
127.0.0.2 220 hello
127.0.0.2 421\r\n(end)
127.0.0.3 220 hello' 'one after the other: as many as may'
wait_for_count 3 ' end [0-9]* status 0$'
is "$(crowd "$port" '127.0.0.2*5')" '2 x 127.0.0.2 220 hello
3 x 127.0.0.2 421\r\n(end)' 'at the same time: as many'
wait_for_count 5 ' end [0-9]* status 0$'
is "$(crowd "$port" '127.0.0.2*2' 127.0.0.2)" '2 x 127.0.0.2 220 hello
127.0.0.2 421\r\n(end)' 'and nobody counts who has left'
stop "$server"
# --- answers of the DNS for clients who are gone ---

# One that answers for PTR at once, and for addresses when the FILE is there.
cat >"$work/late-dns" <<'PERL'
use strict;
use warnings;
use IO::Socket::INET;
my ($file) = @ARGV;
my $udp = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1')
	or die "late-dns: $!\n";
my @kept;
$| = 1;
alarm 60;
print $udp->sockport, "\n";
for (;;) {
	my $ready = '';
	vec($ready, fileno $udp, 1) = 1;
	if (select $ready, undef, undef, 0.02) {
		my $peer = recv $udp, my $asked, 512, 0;
		my ($name, $type) = substr($asked, 12) =~ /^(.*?\0)(..)/s;
		my $data = $type eq "\0\14" ? "\4late\4mail\4test\0"
			: "\x7f\0\0\2";
		my $answer = substr($asked, 0, 2) . "\x81\x80\0\1\0\1\0\0\0\0" .
			"$name$type\0\1\xc0\x0c$type\0\1\0\0\0\1" .
			pack('n/a', $data);
		if ($type eq "\0\14") { send $udp, $answer, 0, $peer }
		else { push @kept, [$answer, $peer] }
	}
	next if !-e $file;
	send $udp, $_->[0], 0, $_->[1] for splice @kept;
}
PERL
perl "$work/late-dns" "$work/answer" >"$work/dns-port" &
started="$started $!"
wait_until test -s "$work/dns-port"
DNSCACHEIP=127.0.0.1:$(cat "$work/dns-port") \
	listen -p -l 0 -t 1 127.0.0.1 0 sh -c 'echo "${TCPREMOTEHOST-unset}"'
is "$(talk -f 127.0.0.2) $(talk -f 127.0.0.2)" 'unset unset' \
	'names that come too late'
: >"$work/answer"
is "$(talk -f 127.0.0.2)" 'late.mail.test' 'when they come, nobody is disturbed'
is "$(talk -f 127.0.0.2) $(cat "$work/log")" 'late.mail.test ' \
	'nor is there a word'
stop "$server"

# --- what another process has left for its successor ---

printf 'tcpserver 1 1 7\nsession 1 127.0.0.1 1 0 0\n' >"$work/state"
TCPSERVER_RESTART=3 listen -v -R -H -l 0 127.0.0.1 0 echo served 3<"$work/state"
is "$(talk) $(head -n 1 "$work/log")" 'served tcpserver: status: 0/40' \
	'is not for us'
stop "$server"
done_testing
