#!/bin/sh
# tlsc: whom it trusts, what it gives its program, how it ends, and servers that
# hang, break, or speak no TLS.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl perl
. "$tests/tls.sh"

make_ca
make_ca other
make_certificate mx mx.example
make_certificate -d -1 old mx.example
mkdir "$work/folder"
cp "$work/ca.pem" "$work/folder/ca.pem"
openssl rehash "$work/folder"
ca=$work/ca.pem

# connect COMMAND…: with the connection on 6 and 7; what it prints is in
# $work/out, what it logs in $work/err
connect() {
	timeout 30 tcpclient -RHl0 127.0.0.1 "$port" "$@" >"$work/out" 2>"$work/err"
	code=$?
}
# What echoes one line, behind TLS.
cat >"$work/ask" <<'END'
#!/bin/sh
printf 'hello\n' >&7
read -r line <&6
echo "$line $SSL_PROTOCOL $SSL_CIPHER $$ $(ls -l /proc/$$/fd | sed -n 's/.* \([0-9]*\) -> socket:.*/\1/p' | tr '\n' ' ')"
END
chmod 755 "$work/ask"
CERTFILE=$work/mx start_sslserver "$work/log" -- sh -c 'read -r line; echo "got $line"'
sslserver=$server

# --- a program
connect tlsc -n mx.example -A "$ca" "$work/ask"
is "$code" 0 'a program'
like "$(cat "$work/out")" '^got hello TLSv1\.3 TLS_[A-Z0-9_]+ [0-9]+ 6 7 $' 'speaks inside TLS, and is told so'
is "$(cat "$work/err")" '' 'the log is empty'
connect sh -c "echo \$\$ >$work/pid; exec tlsc -v -n mx.example -A $ca $work/ask"
is "$(awk '{ print $5 }' "$work/out")" "$(cat "$work/pid")" 'has the pid that tcpclient had'
like "$(cat "$work/err")" '^tlsc: TLSv1\.3 TLS_[A-Z0-9_]+$' '-v says what was agreed'
connect tlsc -n mx.example -A "$work/folder" "$work/ask"
is "$code" 0 'a folder of authorities'
connect tlsc -n 127.0.0.1 -A "$ca" "$work/ask"
is "$code" 0 'an address in the certificate'
SSL_CERT_FILE=$ca connect tlsc -n mx.example "$work/ask"
is "$code" 0 "the system's authorities"
connect tlsc -i "$work/ask"
is "$code" 0 'whoever it is'
connect tlsc -n mx.example -A "$ca" sh -c 'exit 7'
is "$code" 7 "the program's exit code"
connect tlsc -n mx.example -A "$ca" "$work/no-such-program"
is "$code" 111 'no program'

# refused REASON NAME COMMAND…: the program does not run
refused() {
	refused_reason=$1 refused_name=$2
	shift 2
	connect "$@" touch "$work/ran"
	is "$code" 111 "$refused_name: exit 111"
	like "$(cat "$work/err")" "^tlsc: fatal: unable to start TLS with .+: $refused_reason\$" "$refused_name: why"
	if [ -e "$work/ran" ]; then not_ok "$refused_name: nothing runs"
	else ok "$refused_name: nothing runs"; fi
	rm -f "$work/ran"
}
refused '.*local issuer certificate' 'another authority' tlsc -n mx.example -A "$work/other.pem"
refused '.*local issuer certificate' "not the system's" tlsc -n mx.example
refused 'hostname mismatch' 'another name' tlsc -n elsewhere.example -A "$ca"
refused 'hostname mismatch' 'a part of the name' tlsc -n example -A "$ca"
refused 'IP address mismatch' 'another address' tlsc -n 127.0.0.2 -A "$ca"
refused '.*' 'no file of authorities' tlsc -n mx.example -A "$work/none"

# --- no program
code=0
printf 'one line\n' | timeout 30 tcpclient -RHl0 127.0.0.1 "$port" sh -c \
	"exec tlsc -n mx.example -A $ca" >"$work/out" 2>"$work/err" || code=$?
is "$code $(cat "$work/out")" '0 got one line' 'without a program, it is between 0 and 1'

# --- much, both ways at once
stop "$sslserver"
CERTFILE=$work/mx start_sslserver "$work/log" -- cat
sslserver=$server
head -c 5000000 /dev/urandom >"$work/much"
cat >"$work/both" <<'END'
#!/bin/sh
{ cat "$1" >&7 & }
head -c 5000000 <&6 | cmp - "$1"
END
chmod 755 "$work/both"
connect tlsc -n mx.example -A "$ca" "$work/both" "$work/much"
is "$code $(cat "$work/out")" '0 ' '5 MB there and back'
timed timeout 30 tcpclient -RHl0 127.0.0.1 "$port" tlsc -n mx.example -A "$ca" true
is_at_most 3000 'a program that says nothing ends it'

# nothing of a session is left: neither process nor connection
left() {
	pgrep -f "tlsc .*$ca" >/dev/null && return 1
	! grep -q ":$(printf %04X "$port") 01 " /proc/net/tcp
}
if wait_until left; then ok 'nothing is left of all that'
else not_ok 'nothing is left of all that' "$(ps ax | grep '[t]lsc')"; fi

# the program's standard input and output are not held open
connect tlsc -n mx.example -A "$ca" sh -c 'exec 6<&- 7>&-; exec cat' </dev/null
is "$code" 0 'a program that closes the connection'
timed sh -c "timeout 30 tcpclient -RHl0 127.0.0.1 $port tlsc -n mx.example -A $ca sh -c 'sleep 3 & exit 0' | cat" 2>/dev/null
is_at_most 8000 'nobody else keeps a pipe'
stop "$sslserver"

# --- one that is run for a connection: -c, -d, -r
CERTFILE=$work/mx start_sslserver "$work/log" -- sh -c 'read -r line; echo "got $line"'
sslserver=$server
cat >"$work/front" <<'END'
use strict;
use warnings;
use Socket;
use IO::Socket::INET;
my ($port, @words) = @ARGV;
$SIG{PIPE} = "IGNORE";
$| = 1;
my $network = IO::Socket::INET->new("127.0.0.1:$port") or die;
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0) or die;
pipe(my $result, my $report) or die;
$^F = 100;
if (!fork) {
	close $ours;
	close $result;
	require POSIX;
	POSIX::dup2(fileno $network, 20);
	POSIX::dup2(fileno $theirs, 21);
	POSIX::dup2(fileno $report, 22);
	exec 'tlsc', '-c20', '-d21', '-r22', @words or die;
}
close $_ for $theirs, $report, $network;
print "report: ", <$result>;
print $ours "hello\n";
$ours->flush;
print "data: ", scalar(<$ours>) // "none\n";
close $ours;
wait;
print "exit: ", $? >> 8, "\n";
END
is "$(perl "$work/front" "$port" -i 2>&1 | sed 's/TLS_.*/CIPHER/')" 'report: ok TLSv1.3 CIPHER
data: got hello
exit: 0' 'a report, and data'
like "$(perl "$work/front" "$port" -n other.example -A "$ca" 2>"$work/err")" '^report: hostname mismatch$' 'a report of what is wrong'
is "$(cat "$work/err")" '' 'is not in the log as well'
stop "$sslserver"

# --- servers that are no good
serves() {
	[ -z "${next_server:-}" ] || stop "$next_server"
	printf '%s\n' "$@" >"$work/script"
	start_server "$work/said" smtp-server "$work/script"
	next_server=$server
}
serves 'S: 220 no TLS here'
refused '.+' 'a server without TLS' tlsc -i
serves close
refused '(the server closed the connection|unexpected eof.*|connection reset)' 'one that ends at once' tlsc -i
serves sleep
timed refused 'timed out' 'one that says nothing' tlsc -i -t 1
is_at_most 4000 'is given up in time'
serves 'noise 1000000'
refused '.+' 'noise' tlsc -i
# s_server CERTIFICATE OPTION…: openssl's own
s_server() {
	CERTFILE=$work/$1
	export CERTFILE
	shift
	start_server "$work/s_server.log" perl -MIO::Socket::INET -e '
		my $probe = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1);
		my $port = $probe->sockport;
		close $probe;
		$| = 1;
		print "$port\n";
		exec "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:$port",
			"-cert", $ENV{CERTFILE}, "-key", $ENV{CERTFILE}, @ARGV' -- "$@"
	wait_until is_listening "$port"
}
s_server mx -no_tls1_3 -no_tls1_2 -cipher 'ALL:@SECLEVEL=0'
refused '.+' 'TLS 1.1' tlsc -i
stop "$server"
s_server old
refused 'certificate has expired' 'a certificate that has expired' tlsc -n mx.example -A "$ca"
stop "$server"
s_server mx -no_tls1_3
connect tlsc -v -n mx.example -A "$ca" true
like "$(cat "$work/err")" '^tlsc: TLSv1\.2 ' 'TLS 1.2'
stop "$server"
# A session that is killed in the middle: the program sees an end.
CERTFILE=$work/mx start_sslserver "$work/log" -- sh -c 'read -r line; exec cat'
sslserver=$server
cat >"$work/kill" <<'END'
#!/bin/sh
printf 'hello\n' >&7
pkill -KILL -P $$ tlsc
cat <&6
echo ended
END
chmod 755 "$work/kill"
connect tlsc -n mx.example -A "$ca" "$work/kill"
is "$(cat "$work/out")" ended 'a tlsc that is killed'
stop "$sslserver"

# --- wrong use
for words in '' '-z' '-A x true' '-t 0 -i true' '-i -c 99 true' '-i -d 99' '-i -d x' '-i -r 99'; do
	code=0
	# shellcheck disable=SC2086 # words
	tlsc $words 6</dev/null 7>/dev/null 2>"$work/err" || code=$?
	is "$code" 100 "wrong use: '$words'"
done
done_testing
