#!/bin/sh
# recordio: the log beside that of Debian's recordio, the bytes that pass, both
# ends of both ways, what -a, -b and -e keep out of the log, and UCSPI-TLS with
# real TLS.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl python3 openssl

peer=/usr/bin/recordio
if ! [ -x "$peer" ]; then
	if [ "${CI:-}" = true ]; then
		echo "Bail out! $peer is not installed"
		exit 1
	fi
	peer=
fi
unset SSLCTLFD SSLREADFD SSLWRITEFD

# run COMMAND…: output in $work/out, exit code in $code, messages and log in $log.
run() {
	code=0
	"$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
	out=$(tr -d '\000' <"$work/out")
	log=$(tr -d '\000' <"$work/log")
}
# The relay ends after the program does: wait for its last line.
settled() {
	wait_for_line "$work/log" '> \[EOF\]$'
	out=$(tr -d '\000' <"$work/out")
	log=$(tr -d '\000' <"$work/log")
}
recorded() {
	run "$@"
	settled
}
# masked FILE MARK: one direction of a log, with no pids in it
masked() {
	sed -n "s/^[0-9]* $2 /PID $2 /p" "$1"
}
usage='recordio: usage: recordio [ -abe ] program [ arg ... ]'

# --- wrong use, and what cannot be done
run recordio
is "$code $log" "100 $usage" 'no program: the usage, 100'
run recordio -z true
is "$code $log" "100 recordio: illegal option -- z
$usage" 'an unknown option: 100'
run recordio -abe
is "$code $log" "100 $usage" 'options and no program: 100'
recorded recordio "$work/absent"
is "$code" 111 'a program that is not there: 111'
like "$log" "^recordio: fatal: unable to run $work/absent: file does not exist\$" 'and says so'
if is_plain 'no descriptors left'; then
	run sh -c 'ulimit -n 5; exec recordio true'
	is "$code" 111 'no descriptors left: 111'
	like "$log" '^recordio: fatal: unable to create pipe: ' 'and says so'
fi

# --- the program
recorded recordio sh -c 'exit 42'
is "$code" 42 "the chain's exit code is the program's"
recorded recordio sh -c 'kill -9 $$'
is "$code" 137 'and so is its death'
recorded sh -c 'echo $$; exec recordio sh -c "echo \$\$"'
is "$(uniq "$work/out" | wc -l)" 1 'the program has the pid that recordio had'
is "$(sed -n '1s/ .*//p' "$work/log")" "$(head -n 1 "$work/out")" 'and the log has it too'
recorded recordio perl -e 'print defined $SIG{PIPE} ? $SIG{PIPE} : "default"'
unlike "$(cat "$work/out")" IGNORE 'SIGPIPE is as it was'

# --- the log, beside Debian's
printf 'EHLO a\r\nbar' >"$work/in.partial"
printf 'a\n\n\r\nb\n' >"$work/in.lines"
printf 'a\000b\n\377\200\n\033[2J\n\000' >"$work/in.binary"
perl -e 'print "x" x 700, "\n"' >"$work/in.700"
perl -e 'print "x" x $_, "\n" for 254, 255, 256, 257, 511, 512, 513' >"$work/in.units"
perl -e 'srand 7; print map { chr rand 256 } 1 .. 100_000' >"$work/in.random"
: >"$work/in.empty"
for input in partial lines binary 700 units random empty; do
	for side in ours peer; do
		case $side in
		ours) program=$bin/recordio ;;
		peer) program=${peer:-$bin/recordio} ;;
		esac
		# From a file every read is full; the answer is one write.
		"$program" perl -e 'local $/; $_ = <STDIN>; syswrite STDOUT, $_' \
			<"$work/in.$input" >"$work/out.$side" 2>"$work/log"
		settled
		masked "$work/log" '<' >"$work/client.$side"
		masked "$work/log" '>' >"$work/program.$side"
	done
	same_file "$work/out.ours" "$work/in.$input" "$input: what passes is what was sent"
	same_file "$work/client.ours" "$work/client.peer" "$input: the client's side as Debian logs it"
	# Debian's reads from the pipe may fall between the pieces of a write.
	[ "$input" = random ] ||
		same_file "$work/program.ours" "$work/program.peer" "$input: the program's side too"
done
is "$(masked "$work/log" '<')$(masked "$work/log" '>')" 'PID < [EOF]PID > [EOF]' \
	'no input: two ends'
recordio cat <"$work/in.700" >"$work/out" 2>"$work/log"
settled
is "$(masked "$work/log" '<' | awk '{ print length }' | tr '\n' ' ')" '263 263 195 11 ' \
	'700 bytes: pieces of 256, 256, 188'
# A packet is logged when it comes.
run on-socket 'send=EH' 'expect=EH' 'send=LO\r\n' 'expect=LO' close -- recordio cat
settled
is "$(masked "$work/log" '<' | cat -A | tr '\n' ' ')" 'PID < EH+$ PID < LO^M $ PID < [EOF]$ ' \
	'every packet is logged at once'
name='every write to the log ends with a line'
if is_plain "$name" && can_trace "$name"; then
	strace -f -qq -s 5000 -e trace=write -o "$work/trace" recordio cat \
		<"$work/in.units" >"$work/out" 2>"$work/log"
	settled
	is "$(grep 'write(2, ' "$work/trace" | grep -vc '\\n", [0-9]*) *= [0-9]*$')" 0 "$name"
	is "$(sed -n 's/.*write(2, .* = //p' "$work/trace" | awk '$1 > 4096' | wc -l)" 0 \
		'no write to the log is longer than a pipe takes in one piece'
fi

# --- the bytes
perl -e 'srand 8; print map { pack "L", rand 1 << 32 } 1 .. 750_000' >"$work/big"
run on-socket file="$work/big" shut end -- recordio cat
same_file "$work/out" "$work/big" '3 MB of random bytes there and back'
settled
run on-socket -p file="$work/big" shut end -- recordio -abe cat
same_file "$work/out" "$work/big" 'the same on pipes, with all options'
run on-socket end -- recordio cat "$work/big"
same_file "$work/out" "$work/big" 'one way only'
if is_plain 'in 3 MB' && is_here softlimit 'in 3 MB'; then
	run on-socket file="$work/big" shut end -- softlimit -m 3000000 recordio -ab cat
	same_file "$work/out" "$work/big" 'in 3 MB'
fi

# --- the ends
run on-socket 'send=x' shut end -- recordio sh -c 'cat >/dev/null; echo late'
is "$out" late "the client's end reaches the program, whose answer still goes out"
rm -f "$work/flag"
run on-socket 'expect=bye' end touch="$work/flag" -- recordio sh -c '
	echo bye; exec >&-; until [ -e "$1" ]; do sleep 0.02; done; exit 7' - "$work/flag"
is "$code $out" '7 bye' "the program's end reaches the client, though both go on"
settled
unlike "$log" '< \[EOF\]' 'and is the end of the relay'
rm -f "$work/flag"
run on-socket 'expect=ready' 'times=9000:words\r\n' touch="$work/flag" end -- recordio sh -c '
	exec <&-; echo ready; until [ -e "$1" ]; do sleep 0.02; done; echo done' - "$work/flag"
like "$out" '^done$' 'a program that reads no more can still answer'
rm -f "$work/flag"
run on-socket -p 'expect=ready' close -- recordio perl -e '
	$SIG{PIPE} = sub { open F, ">", $ARGV[0]; exit 5 };
	$| = 1; print "ready\n"; <STDIN>; print "x" x 5000 while 1' "$work/flag"
is "$code" 5 'a client that has gone: the program gets SIGPIPE'
run on-socket 'send=x' 'expect=x' reset -- recordio cat
is "$code" 0 'a reset is an end'
settled
is "$(masked "$work/log" '<' | tail -n 1)" 'PID < [EOF]' 'and logged as one'
# The program says 3 MB before it listens, the client too.
run on-socket 'blind=300000:0123456789' shut end -- recordio perl -e '
	my $child = fork // die;
	if (!$child) { print "y" x 3_000_000; exit }
	my $n = 0; while (my $r = sysread STDIN, $_, 65536) { $n += $r }
	waitpid $child, 0; print " $n"'
is "$(tail -c 8 "$work/out")" ' 3000000' 'neither side can hold up the other'
is "$(wc -c <"$work/out" | tr -d ' ')" 3000008 'and nothing is lost'

recorded sh -c 'exec recordio sh -c "cat; echo x" <&-'
is "$out" x 'no descriptor 0 is an end'
is "$(masked "$work/log" '<')" 'PID < [EOF]' 'and logged as one'
run sh -c 'exec recordio sh -c "cat <&0; echo x; exit 3" >&-'
is "$code" 3 'no descriptor 1: the program runs, and ends'
run sh -c 'exec recordio cat /dev/null 2>&-'
is "$code" 0 'no log: the program runs'

# --- the relay's process
# The relay is the program's only child. Run in the place of the program.
cat >"$work/look" <<'EOF'
#!/bin/sh
read -r relay <"/proc/$$/task/$$/children"
echo ready
cat >/dev/null
{
	ls -1 "/proc/$relay/fd" | tr '\n' ' '
	echo
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$relay/status"
} >"$1"
EOF
chmod 755 "$work/look"
if [ -r "/proc/$$/task/$$/children" ]; then
	# Its input has ended, and is closed: 0 and one pipe are gone.
	run on-socket 'expect=ready' 'times=400000:0123456789abcdef0123456789abcde\n' shut end -- \
		sh -c 'exec 7<"$1" 9<"$1"; exec recordio "$2" "$3" 2>"$1"' - \
		/dev/null "$work/look" "$work/seen"
	is "$(sed -n 1p "$work/seen" | wc -w | tr -d ' ')" 3 'the relay has no descriptor but its own'
	# Whatever this shell was given is open too.
	fds='perl -e "opendir D, q(/proc/self/fd); print join q( ), sort grep { !/\\D/ } readdir D"'
	sh -c "exec 7</dev/null 9</dev/null; exec $fds" >"$work/seen.alone" </dev/null
	sh -c "exec 7</dev/null 9</dev/null; exec recordio $fds" >"$work/seen.inside" \
		2>/dev/null </dev/null
	wait_until test -s "$work/seen.inside"
	like "$(cat "$work/seen.inside")" '\b7\b.*\b9\b' 'the program has those of the chain'
	same_file "$work/seen.inside" "$work/seen.alone" 'and no other'
	[ -n "${SANITIZE:-}" ] || is "$(($(sed -n 2p "$work/seen") < 1500))" 1 \
		"the relay is small after 12 MB ($(sed -n 2p "$work/seen") kB)"
fi

# --- -e
recordio -e cat <"$work/in.binary" >"$work/out" 2>"$work/log"
settled
is "$(masked "$work/log" '<')" 'PID < a\x00b 
PID < \xff\x80 
PID < \x1b[2J 
PID < \x00+
PID < [EOF]' '-e: no byte that is not printable'
printf '\\x00\t~\n' | recordio -e cat >"$work/out" 2>"$work/log"
settled
is "$(masked "$work/log" '<' | head -n 1)" 'PID < \x5cx00\x09~ ' 'and no way to feign one'
recordio -e true <"$work/in.random" >"$work/out" 2>"$work/log"
settled
is "$(tr -d '\012\040-\176' <"$work/log" | wc -c | tr -d ' ')" 0 'whatever comes'

# --- -a and -b
# session COMMAND…: with one client; Z is in secrets only, W in messages only.
session() {
	run on-socket 'expect=220 [^\n]*\n' 'send=EHLO a\r\n' 'expect=250 [^\n]*\n' \
		'send=AUTH PLAIN ZZZZ\r\n' 'expect=235 [^\n]*\n' \
		'send=auth login\r\n' 'expect=334 [^\n]*\n' 'send=ZZZZ\r\n' \
		'expect=334 [^\n]*\n' 'send=ZZ==\r\n' 'expect=235 [^\n]*\n' \
		'send=MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n' 'expect=354 [^\n]*\n' \
		'send=Subject: W\r\n\r\nWWW\r\n..\r\n.\r\nNOOP\r\n' 'expect=250 ok [0-9a-f]+.*250 ok\r\n' \
		'send=BDAT 5\r\nWW\nWWBDAT 3 LAST\r\nWW\nQUIT\r\n' end -- "$@"
	settled
}
session recordio ucspi-smtp
for secret in ZZZZ 'ZZ==' WWW; do
	like "$log" "$secret" "without options $secret is in the log"
done
cp "$work/out" "$work/out.plain"
session recordio -ab ucspi-smtp
same_file "$work/out" "$work/out.plain" '-ab: the session is the same'
unlike "$log" Z '-a: no secret is in the log'
unlike "$(masked "$work/log" '<')" W '-b: no byte of a message'
is "$(masked "$work/log" '<' | tr -d '\r')" 'PID < EHLO a 
PID < AUTH PLAIN (hidden) 
PID < auth login 
PID < (hidden) 
PID < (hidden) 
PID < MAIL FROM:<a@b> 
PID < RCPT TO:<c@d> 
PID < DATA 
PID < (26 bytes hidden) 
PID < NOOP 
PID < BDAT 5 
PID < (5 bytes hidden) 
PID < BDAT 3 LAST 
PID < (3 bytes hidden) 
PID < QUIT ' 'the rest is, with how much was hidden'
session recordio -a ucspi-smtp
unlike "$log" Z '-a alone: no secret'
like "$log" ' < WWW' 'but the message'
session recordio -b ucspi-smtp
like "$log" ' < ZZZZ' '-b alone: secrets'
unlike "$(masked "$work/log" '<')" W 'but no message'
# All at once, which AUTH and DATA do not allow; and byte by byte.
all='EHLO a\r\nAUTH LOGIN\r\nZZZZ\r\nZZ==\r\nAUTH PLAIN ZZZZ\r\n auth  plain Z\r\ndata\r\nWW\r\n.\r\nBDAT 4\r\nW\r\nWQUIT\r\n'
for how in send slow; do
	run on-socket "$how=$all" end -- recordio ucspi-smtp
	cp "$work/out" "$work/out.plain"
	run on-socket "$how=$all" end -- recordio -ab ucspi-smtp
	settled
	same_file "$work/out" "$work/out.plain" "$how: the session is the same with -ab"
	unlike "$(masked "$work/log" '<')" '[ZW]' "$how: no secret and no message in the log"
	like "$out" '^221' "$how: the session came to its end"
done
recorded on-socket 'send=DATA\r\n' 'expect=354 [^\n]*\n' 'send=WW\r\nW' close -- recordio -b ucspi-smtp
is "$(masked "$work/log" '<' | tr -d '\r' | tail -n 2)" 'PID < (5 bytes hidden)+
PID < [EOF]' 'a message that was cut is counted as far as it came'
# A server that never answers does not stop the client's bytes.
run on-socket 'send=AUTH PLAIN ZZ\r\nZZ\r\n' 'expect=ZZ\r\nZZ\r\n' shut end -- \
	recordio -a perl -e 'while (<STDIN>) { $n .= $_; syswrite STDOUT, $n if $n =~ /\n.*\n/ }'
settled
unlike "$(masked "$work/log" '<')" Z 'a server that does not answer: bytes pass, hidden'
is "$code" 0 'and the session ends'

# --- UCSPI-TLS
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test.example -days 2 \
	-keyout "$work/key" -out "$work/cert" 2>/dev/null
cat "$work/key" "$work/cert" >"$work/both"
# client PORT LOG [WORD…]: what smtplib sees
cat >"$work/client" <<'EOF'
import hashlib
import smtplib
import socket
import sys
import time

port, words = int(sys.argv[1]), sys.argv[3:]
if "pipelined" in words:
    smtplib.SMTP.ehlo_or_helo_if_needed = lambda self: None
server = smtplib.SMTP("127.0.0.1", port, timeout=30)
if "quiet" in words:
    server.sock.shutdown(socket.SHUT_WR)
    print("end", server.file.read())
    sys.exit()
if "pipelined" in words:
    server.sock.sendall(b"EHLO a\r\n")
    server.file = server.sock.makefile("rb")
else:
    server.ehlo("a")
if "garbage" in words:
    server.docmd("STARTTLS")
    server.sock.sendall(b"no TLS at all\r\n" * 100)
    try:
        print("end", len(server.sock.recv(1000)) < 100)
    except OSError:
        print("end True")
    sys.exit()
if "pipelined" in words:
    server.sock.sendall(b"STARTTLS\r\n")
    print(server.getreply()[0], server.getreply()[0])
    import ssl
    context = ssl._create_unverified_context()
    server.sock = context.wrap_socket(server.sock)
    server.file = None
else:
    try:
        print("starttls", server.starttls()[0])
    except smtplib.SMTPResponseException as error:
        print("starttls", error.smtp_code)
if "declined" in words:
    while b"tls: declined" not in open(sys.argv[2], "rb").read():
        time.sleep(0.02)
if "vanish" in words:
    server.sock.close()
    sys.exit()
server.ehlo("b")
print("told", server.esmtp_features.get("x-told"))
if "auth" in words:
    server.user, server.password = "ZZZ", "ZZZ"
    print("auth", server.auth("PLAIN", server.auth_plain)[0])
server.docmd("MAIL FROM:<a@b>")
server.docmd("RCPT TO:<c@d>")
message = b"W" * 70 + b"\r\n"
message *= 40000 if "large" in words else 3
reply = server.data(message)[1].decode()
print("message", reply == "ok " + hashlib.md5(message).hexdigest())
print("quit", server.quit()[0])
EOF
# tls MODE [WORD…]: the chain with ucspi-smtp behind it, and one client
tls() {
	tls_mode=$1
	shift
	: >"$work/log"
	start_tcpserver "$work/log" -- ucspi-tls-server "$work/both" \
		recordio -ab ucspi-smtp "$tls_mode"
	out=$(python3 "$work/client" "$port" "$work/log" "$@" 2>&1)
	wait_for_line "$work/log" 'tcpserver: end '
	wait_for_line "$work/log" '^tls: (program ended|declined|handshake failed)'
	stop "$server"
	log=$(tr -d '\015' <"$work/log" | grep -v '^tcpserver')
}
tls y auth
is "$out" 'starttls 220
told no block
auth 235
message True
quit 221' 'y: TLS, then a session'
is "$(printf '%s\n' "$log" | sed 's/^[0-9]* /PID /; s/ [0-9a-f]\{32\} $/ MD5 /; /^tls/s/ TLS.*//
	/< \[EOF\]$/d # smtplib hangs up when it likes
')" 'PID > 220 test.example ESMTP 
PID < ehlo a 
PID > 250-test.example 
PID > 250-X-TOLD plain 
PID > 250-AUTH PLAIN LOGIN 
PID > 250-STARTTLS 
PID > 250 PIPELINING 
PID < STARTTLS 
PID > 220 ready for tls 
tls: started
PID < ehlo b 
PID > 250-test.example 
PID > 250-X-TOLD no block 
PID > 250-AUTH PLAIN LOGIN 
PID > 250 PIPELINING 
PID < AUTH PLAIN (hidden) 
PID > 235 ok 
PID < MAIL FROM:<a@b> 
PID > 250 ok 
PID < RCPT TO:<c@d> 
PID > 250 ok 
PID < data 
PID > 354 go ahead 
PID < (219 bytes hidden) 
PID > 250 ok MD5 
PID < quit 
PID > 221 bye 
PID > [EOF]
tls: program ended' 'the log goes on in clear text'
tls Y auth large
like "$out" '^told TLSv1\.[23] 20000$' 'Y: the environment block reaches the program'
like "$out" '^message True$' 'and a message of 3 MB the server'
unlike "$log" 'Z|W|SSL_' 'no secret, message or environment in the log'
tls y pipelined
like "$out" '^250 220' 'STARTTLS pipelined behind EHLO: granted'
like "$out" '^message True$' 'and TLS works'
tls refuse auth
like "$out" '^starttls 454$' 'STARTTLS refused'
like "$out" '^message True$' 'the session goes on without'
like "$log" '^tls: declined$' 'the TLS process is told at the end'
tls decline declined
like "$out" '^message True$' 'a program that wants no TLS: the TLS process is told at once'
tls y quiet
is "$out" "end b''" 'a client that ends before TLS'
like "$log" '^tls: declined$' 'ends it all'
tls y vanish
like "$log" '^[0-9]+ < \[EOF\]$' 'a client that goes away inside TLS: an end'
like "$log" '^tls: program ended$' 'and the TLS process sees the program end'
tls Y garbage
is "$out" 'end True' 'no TLS where it should begin'
like "$log" '^tls: handshake failed' 'ends it'
tls y garbage
is "$out" 'end True' 'the same without a block'

if is_here mailfront 'mailfront, which speaks UCSPI-TLS'; then
	UCSPITLS=1
	export UCSPITLS
	: >"$work/log"
	start_tcpserver "$work/log" -- ucspi-tls-server "$work/both" \
		recordio mailfront smtp echo starttls-ucspi
	out=$(python3 "$work/client" "$port" "$work/log" 2>&1)
	wait_for_line "$work/log" '^tls: program ended'
	stop "$server"
	unset UCSPITLS
	like "$out" '^starttls 220$' 'mailfront, which speaks UCSPI-TLS: granted'
	like "$(tr -d '\015' <"$work/log")" ' < MAIL FROM:<a@b> $' 'and recorded inside TLS'
fi

# A TLS process that speaks as soon as it is asked, and a program that has much
# to say before: not one byte of it may come late.
cat >"$work/eager" <<'EOF'
#!/usr/bin/perl
use strict;
use warnings;
use Socket;
$^F = 99;
socketpair my $control, my $program, AF_UNIX, SOCK_STREAM, 0 or die;
if (!fork) {
	close $program;
	sysread $control, my $byte, 1;
	syswrite STDOUT, "TLS begins";
	exit;
}
close $control;
$ENV{SSLCTLFD} = fileno $program;
open my $read, '<', '/dev/null' or die;
open my $write, '>', '/dev/null' or die;
@ENV{'SSLREADFD', 'SSLWRITEFD'} = (fileno $read, fileno $write);
exec @ARGV;
EOF
run on-socket end -- perl "$work/eager" recordio perl -e '
	open my $control, ">&=", $ENV{SSLCTLFD} or die;
	fcntl STDOUT, 1031, 1 << 20; # F_SETPIPE_SZ: it all lies in the pipe
	syswrite STDOUT, "x" x 1_000_000; syswrite $control, "y"'
is "$(wc -c <"$work/out" | tr -d ' ')$(tail -c 11 "$work/out")" '1000010xTLS begins' \
	'TLS is not asked for before all that was said in the clear is out'

# And one that waits for the client's first words, of which recordio must not
# take any, however long the program thinks between the 220 and its request.
sed 's/syswrite STDOUT, "TLS begins"/local $\/; print "TLS read ", <STDIN>/' \
	"$work/eager" >"$work/late"
rm -f "$work/flag"
run on-socket 'send=STARTTLS\r\n' 'expect=220 go\r\n' 'send=client hello' shut \
	touch="$work/flag" end -- perl "$work/late" recordio perl -e '
	$| = 1; open my $control, ">&=", $ENV{SSLCTLFD} or die;
	print "220 hello\r\n"; <STDIN>; print "220 go\r\n";
	until (-e $ARGV[0]) { select undef, undef, undef, 0.01 }
	select undef, undef, undef, 0.1; syswrite $control, "y"' "$work/flag"
like "$out" '^TLS read client hello$' 'not one byte of the TLS is taken from the connection'

# --- variables that offer nothing
for value in 0 1 x '' 99; do
	export SSLCTLFD="$value" SSLREADFD="$value" SSLWRITEFD="$value"
	recorded on-socket 'send=NOOP\r\n' shut end -- recordio cat
	is "$code $out" "0 $(printf 'NOOP\r\n')" "SSLCTLFD=$value is no descriptor: no TLS"
done
export SSLCTLFD=2 SSLREADFD=2 SSLWRITEFD=2
recorded recordio true
is "$code" 0 'nor is the log'
export SSLCTLFD=7 SSLREADFD=7 SSLWRITEFD=7
run sh -c 'exec 7</dev/null; exec recordio true'
is "$code $log" '100 recordio: fatal: SSLCTLFD, SSLREADFD and SSLWRITEFD name the same descriptor' \
	'one descriptor for all three: refused'
done_testing
