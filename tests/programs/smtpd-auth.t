#!/bin/sh
# smtpd and AUTH with a checkpassword program: what is offered when, every reply
# (cases 44 to 47 of the list), what a checker may do, what may come instead of an
# answer, and which command lines are refused.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

base64_of() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$1" | base64 -w 0
}
plain="AUTH PLAIN $(base64_of '\0tim\0secret')"
wrong="AUTH PLAIN $(base64_of '\0tim\0wrong')"
refused='535 authorization failed (#5.7.0)'
malformed='501 malformed auth input (#5.5.4)'
child="454 oops, problem with child and I can't auth (#4.3.0)"
no_start="454 oops, child won't start and I can't auth (#4.3.0)"
accepted='235 ok, go ahead (#2.0.0)'
absent='503 auth not available (#5.3.3)'
type='504 auth type not available (#5.5.1)'

# the cases of a file, without and with the client in a hurry; -- ARGUMENT…
talk() {
	cat >"$work/cases"
	dialogues "$work/cases" -- smtpd "$@"
	dialogues -a "$work/cases" -- smtpd "$@"
	dialogues -b "$work/cases" -- smtpd "$@"
}

# offers CASE MECHANISMS SETTING…
offers() {
	printf '\n== offered: %s\n' "$1"
	offers_mechanisms=$2
	shift 2
	printf 'env %s\n' "$@"
	echo 'S: 220 *'
	echo 'C: EHLO client'
	echo 'S: 250-mx.example.org'
	[ -z "$offers_mechanisms" ] || printf 'S: 250-AUTH%s\n' \
		" $offers_mechanisms" "=$offers_mechanisms"
	printf 'S: 250%s\n' '-SIZE 0' -PIPELINING -CHUNKING -SMTPUTF8 ' 8BITMIME'
}
# answers CASE REPLY COMMAND SETTING…
answers() {
	printf '\n== %s\n' "$1"
	answers_reply=$2 answers_command=$3
	shift 3
	printf 'env %s\n' "$@"
	printf '%s\n' 'S: 220 *' "C: $answers_command" "S: $answers_reply" 'C: NOOP' \
		'S: 250 ok'
}

{
	offers 'nothing in the clear' '' X=
	offers 'in the clear, if allowed' 'LOGIN PLAIN' ALLOW_INSECURE_AUTH=1
	offers 'a flag is a number above 0' '' ALLOW_INSECURE_AUTH=0
	offers 'within TLS' 'LOGIN PLAIN' SSL=1
	offers 'CRAM-MD5 in the clear' 'CRAM-MD5' ALLOW_CRAM=1
	offers 'CRAM-MD5 and all' 'LOGIN CRAM-MD5 PLAIN' ALLOW_CRAM=1 SSL=1
	offers 'SMTPAUTH=' 'LOGIN PLAIN' SMTPAUTH= SSL=1
	offers 'SMTPAUTH= allows nothing in the clear' '' SMTPAUTH=
	offers 'SMTPAUTH=-' '' SMTPAUTH=- SSL=1
	offers 'SMTPAUTH=+cram' 'LOGIN CRAM-MD5 PLAIN' SMTPAUTH=+cram SSL=1
	offers 'SMTPAUTH=cram' 'CRAM-MD5' SMTPAUTH=cram SSL=1
	offers 'SMTPAUTH=!' 'LOGIN PLAIN' 'SMTPAUTH=!' SSL=1
	offers 'SMTPAUTH=!cram' 'CRAM-MD5' 'SMTPAUTH=!cram' SSL=1
	offers 'SMTPAUTH=TLSREQUIRED, without TLS' '' SMTPAUTH=TLSREQUIRED \
		ALLOW_INSECURE_AUTH=1 ALLOW_CRAM=1
	offers 'SMTPAUTH=TLSREQUIRED, within TLS' 'LOGIN PLAIN' \
		SMTPAUTH=tlsrequired SSL=1
	offers 'another word is none' 'LOGIN PLAIN' SMTPAUTH=yes SSL=1
	answers '44: in the clear' "$type" "$plain" X=
	answers '44: LOGIN in the clear' "$type" 'AUTH LOGIN' X=
	answers '44: TLSREQUIRED' \
		'538 Encryption required for requested authentication mechanism' \
		"$plain" SMTPAUTH=TLSREQUIRED ALLOW_INSECURE_AUTH=1
	answers '44: TLSREQUIRED, and a mechanism that there is not' "$type" \
		'AUTH NTLM' SMTPAUTH=TLSREQUIRED
	answers 'SMTPAUTH=-: there is none' "$absent" "$plain" SMTPAUTH=- SSL=1
	answers 'CRAM-MD5 is not allowed' "$type" 'AUTH CRAM-MD5' SSL=1
	answers 'nor SCRAM-SHA-256' "$type" 'AUTH SCRAM-SHA-256' SSL=1
	answers 'only CRAM-MD5 is' "$type" "$plain" SSL=1 SMTPAUTH=cram
	answers 'no mechanism that is known' "$type" 'AUTH NTLM' SSL=1
	answers 'no mechanism at all' "$type" 'AUTH' SSL=1
	answers 'part of one' "$type" 'AUTH PLAI' SSL=1
	answers 'any case of letters' "$accepted" \
		"auth  plain   ${plain#AUTH PLAIN }" SSL=1
	answers 'a wrong password' "$refused" "$wrong" SSL=1 SMTPD_AUTH_DELAY=0
	answers '45: no base64' "$malformed" 'AUTH PLAIN !!!!' SSL=1
	answers '45: a bit of base64' "$malformed" 'AUTH PLAIN AHR' SSL=1
	answers '45: base64, and a blank' "$malformed" "$plain " SSL=1
	answers '45: nothing' "$malformed" 'AUTH PLAIN =' SSL=1
	answers '45: LOGIN, nothing' "$malformed" 'AUTH LOGIN =' SSL=1
	answers '45: no NUL' "$malformed" "AUTH PLAIN $(base64_of 'tim secret')" SSL=1
	answers '45: one NUL' "$malformed" "AUTH PLAIN $(base64_of 'tim\0secret')" SSL=1
	answers '45: three' "$malformed" \
		"AUTH PLAIN $(base64_of '\0tim\0secret\0')" SSL=1
	answers '45: only NULs' "$malformed" "AUTH PLAIN $(base64_of '\0\0')" SSL=1
	answers '45: no password' "$malformed" "AUTH PLAIN $(base64_of '\0tim\0')" SSL=1
	answers '45: no login' "$malformed" "AUTH PLAIN $(base64_of '\0\0secret')" SSL=1
	answers 'another identity is not looked at' "$accepted" \
		"AUTH PLAIN $(base64_of 'root\0tim\0secret')" SSL=1
	answers 'CRAM-MD5 with an answer to no question' "$malformed" \
		'AUTH CRAM-MD5 dGlt' ALLOW_CRAM=1
	answers '45: as long as can be, and wrong' "$refused" \
		"AUTH PLAIN $(perl -MMIME::Base64 -e 'print encode_base64(
			"\0tim\0" . "x" x (9204 - 5), "")')" SSL=1 SMTPD_AUTH_DELAY=0
	cat <<END

== 35, 45, 46: LOGIN, step by step, a message, and neither RSET nor AUTH ends it
env SSL=1
env TCPREMOTEINFO=ident
S: 220 *
C: HELO client
S: 250 *
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: $(base64_of tim)
S: 334 UGFzc3dvcmQ6
C: $(base64_of secret)
S: 235 ok, go ahead (#2.0.0)
C: AUTH LOGIN
S: 503 you're already authenticated (#5.5.0)
C: MAIL FROM:<a@client.example> AUTH=<>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
C: DATA
S: 354 *
C: text
C: .
S: 250 ok *
C: RSET
S: 250 flushed
C: AUTH LOGIN
S: 503 you're already authenticated (#5.5.0)
C: EHLO client
S*8: 250*
C: MAIL FROM:<> AUTH=a+2Bb
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
C: QUIT
S: 221 *
E: Fa@client.example\\0Tu@elsewhere.example\\0\\0
T: Received: from *(HELO client) (tim@192.0.2.7)\\n*
M: text\\n
LOG: checker: tim|secret||
LOG: qmail-smtpd[*]: AUTH successful [192.0.2.7] tim

== LOGIN with the login at once
env SSL=1
S: 220 *
C: AUTH LOGIN $(base64_of tim)
S: 334 UGFzc3dvcmQ6
C: $(base64_of secret)
S: $accepted

== AUTHPREPEND
env SSL=1
env AUTHPREPEND=from-
S: 220 *
C: $plain
S: $accepted
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
S*2: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from *(from-tim@192.0.2.7)\\n*

== 45: PLAIN without an initial response
env SSL=1
S: 220 *
C: AUTH PLAIN
S: 334 
C: ${plain#AUTH PLAIN }
S: $accepted

== 45: cancelled, at every place
env SSL=1
env SMTPAUTH=+cram
S: 220 *
C: AUTH PLAIN
S: 334 
C: *
S: 501 auth exchange cancelled (#5.0.0)
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: *
S: 501 auth exchange cancelled (#5.0.0)
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: $(base64_of tim)
S: 334 UGFzc3dvcmQ6
C: *
S: 501 auth exchange cancelled (#5.0.0)
C: AUTH CRAM-MD5
S: 334 *
C: *
S: 501 auth exchange cancelled (#5.0.0)
C: AUTH PLAIN *
S: 501 auth exchange cancelled (#5.0.0)
C: $plain
S: $accepted

== 45: no answers
env SSL=1
env SMTPAUTH=+cram
S: 220 *
C: AUTH PLAIN
S: 334 
C:
S: $malformed
C: AUTH PLAIN
S: 334 
C: QUIT
S: $malformed
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C:
S: $malformed
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: $(base64_of 'ti\0m')
S: $malformed
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: $(base64_of tim)
S: 334 UGFzc3dvcmQ6
C: $(base64_of 'secret\0')
S: $malformed
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: $(base64_of tim)
S: 334 UGFzc3dvcmQ6
C:
S: $malformed
C: AUTH CRAM-MD5
S: 334 *
C: $(base64_of 'tim')
S: $malformed
C: AUTH CRAM-MD5
S: 334 *
C: $(base64_of 'tim 12345678901234567890123456789012x')
S: $malformed
R: AUTH PLAIN\\r\\nAAAA\\0AAA\\r\\n
S: 334 
S: $malformed
C: $plain
S: $accepted

== SMTPD_AUTH_CHALLENGE_FIRST is for CRAM-MD5 alone
env SSL=1
env SMTPD_AUTH_CHALLENGE_FIRST=1
S: 220 *
C: $plain
S: $accepted

== CRAM-MD5's challenge
env ALLOW_CRAM=1
S: 220 *
C: AUTH CRAM-MD5
S: 334 PD*

== 45: a line of 12288 bytes is an answer, a longer one is none
env SSL=1
env SMTPD_AUTH_DELAY=0
S: 220 *
C: AUTH PLAIN
S: 334 
R: \\{3071:AAAA}A=\\r\\n
S: $malformed
C: AUTH PLAIN
S: 334 
R: \\{3071:AAAA}AAA\\r\\n
S: 500 line too long (#5.5.2)
R: AUTH PLAIN \\{3068:AAAA}AAA\\r\\n
S: $malformed
R: AUTH PLAIN \\{3068:AAAA}AAAA\\r\\n
S: 500 line too long (#5.5.2)
R: AUTH PLAIN \\{300000:AAAA}\\r\\n
S: 500 line too long (#5.5.2)
C: $plain
S: $accepted

== 46: in a mail
env SSL=1
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 ok
C: $plain
S: 503 no auth during mail transaction (#5.5.0)
C: RCPT TO:<u@elsewhere.example>
S: 553 *
C: RSET
S: 250 flushed
C: $plain
S: $accepted

== 46: after failures, until there are too many
env SSL=1
env SMTPD_AUTH_DELAY=0
S: 220 *
C: $wrong
S: $refused
C: AUTH PLAIN =
S: $malformed
C: AUTH PLAIN *
S: 501 auth exchange cancelled (#5.0.0)
C: AUTH LOGIN $(base64_of 'nobody\r\nhere')
S: 334 UGFzc3dvcmQ6
C: $(base64_of 'secret')
S: $refused
C: $plain
S: $accepted
LOG: qmail-smtpd[*]: AUTH failed [192.0.2.7] tim
LOG: qmail-smtpd[*]: AUTH failed [192.0.2.7] nobody??here

== too many failures
env SSL=1
env SMTPD_AUTH_DELAY=0
S: 220 *
C: $wrong
S: $refused
C: $wrong
S: $refused
C: $wrong
S: 421 too many authentication failures (#4.7.0)
EOF

== SMTPD_AUTH_FAILURES
env SSL=1
env SMTPD_AUTH_DELAY=0
env SMTPD_AUTH_FAILURES=1
S: 220 *
C: $wrong
S: 421 too many authentication failures (#4.7.0)
EOF

== SMTPD_AUTH_FAILURES=0: no limit
env SSL=1
env SMTPD_AUTH_DELAY=0
env SMTPD_AUTH_FAILURES=0
S: 220 *
C*6: $wrong
S*6: $refused
C: $plain
S: $accepted

== a login is no more than 512 bytes with its password
env SSL=1
env SMTPD_AUTH_DELAY=0
S: 220 *
C: AUTH PLAIN $(base64_of "\\0$(printf '%0300d' 0)\\0$(printf '%0209d' 0)")
S: $refused
C: AUTH PLAIN $(base64_of "\\0$(printf '%0300d' 0)\\0$(printf '%0210d' 0)")
S: $refused
C: NOOP
S: 250 ok
LOG: checker: 000*|0*||

== a client that goes away in the middle
env SSL=1
S: 220 *
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
HALF
EOF

== a client that says nothing in the middle
once
env SSL=1
control timeoutsmtpd 1
S: 220 *
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
S: 451 timeout (#4.4.2)
EOF

== REQUIRE_AUTH
env SSL=1
env REQUIRE_AUTH=1
S: 220 *
C: MAIL FROM:<a@client.example>
S: 503 AUTH first (#5.5.1)
C: RCPT TO:<u@example.org>
S: 503 MAIL first (#5.5.1)
C: $plain
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok

== AUTHORIZED is not enough for it
env REQUIRE_AUTH=1
env AUTHORIZED=
S: 220 *
C: MAIL FROM:<a@client.example>
S: 503 AUTH first (#5.5.1)

== SMTPAUTH=! is REQUIRE_AUTH
env SMTPAUTH=!
S: 220 *
C: MAIL FROM:<a@client.example>
S: 503 AUTH first (#5.5.1)

== AUTHREQUIRED
env SSL=1
env AUTHREQUIRED=
S: 220 *
C: MAIL FROM:<a@client.example>
S: 530 authentication needed
C: $plain
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok

== AUTHREQUIRED and AUTHORIZED
env AUTHREQUIRED=
env AUTHORIZED=
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 553 *
END
	for plan in exit=1 exit=2 exit=100 exit=255; do
		answers "a checker's $plan" "$refused" "$plain" SSL=1 \
			SMTPD_AUTH_DELAY=0 CHECKER=$plan
		printf 'LOG: qmail-smtpd[*]: AUTH failed [192.0.2.7] tim\n'
	done
	answers "a checker's trouble" "$child" "$plain" SSL=1 CHECKER=exit=111
	printf 'LOG: qmail-smtpd[*]: *checker: exit 111, and no answer\n'
	answers "a checker that crashes" "$child" "$plain" SSL=1 CHECKER=signal=SEGV
	printf 'LOG: qmail-smtpd[*]: *checker: crashed\n'
	answers "a checker that hangs" "$child" "$plain" SSL=1 CHECKER=hang \
		SMTPD_HELPER_TIMEOUT=1
	printf 'once\nLOG: qmail-smtpd[*]: *checker: killed, too late\n'
	answers "a checker that reads nothing" "$accepted" "$wrong" SSL=1 CHECKER=unread
	answers "a checker that says much" "$accepted" "$plain" SSL=1 CHECKER=rubbish
	cat <<END

== a checker's trouble is counted: it can be made
env SSL=1
env CHECKER=exit=111
S: 220 *
C: AUTH PLAIN =
S: $malformed
C: $plain
S: $child
C: $plain
S: $child
C: $plain
S: 421 too many authentication failures (#4.7.0)
EOF
END
} >"$work/all"
talk mx.example.org "$tests/checker" true <"$work/all"

talk mx.example.org "$work/none" true <<END
== a checker that is not there
env SSL=1
S: 220 *
C: $plain
S: $no_start
C: NOOP
S: 250 ok
LOG: qmail-smtpd[*]: unable to run *none: file does not exist
END
talk mx.example.org "$tests/checker" "$work/none" <<END
== a program that is not there, behind the checker
env SSL=1
env SMTPD_AUTH_DELAY=0
S: 220 *
C: $plain
S: $refused
END
printf '#!/bin/sh\necho "$@" >&2\n' >"$work/arguments"
chmod 755 "$work/arguments"
talk mx.example.org "$tests/checker" "$work/arguments" 'a  b' '' c <<END
== the rest of the command line is the checker's
env SSL=1
S: 220 *
C: $plain
S: $accepted
LOG: a  b  c
END

# Nobody who checks logins.
talk <<END
== no checker
env SSL=1
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-SIZE 0
S*4: 250*
C: $plain
S: $absent

== REQUIRE_AUTH, and no checker
env REQUIRE_AUTH=1
S: 421 REQUIRE_AUTH set without valid AUTH program.
EOF
STATUS: 1

== SMTPAUTH=!, and no checker
env SMTPAUTH=!
S: 421 REQUIRE_AUTH set without valid AUTH program.
EOF

== AUTHREQUIRED may be for pop-before-smtp alone
env AUTHREQUIRED=
S: 220 *
C: MAIL FROM:<a@client.example>
S: 530 authentication needed
END
talk mx.example.org "$tests/checker" true <<END
== SMTPAUTH=-, and REQUIRE_AUTH
env REQUIRE_AUTH=1
env SMTPAUTH=-
S: 421 REQUIRE_AUTH set without valid AUTH program.
EOF

== ALLOW_SCRAM is for a table
env ALLOW_SCRAM=1
S: 421 ALLOW_SCRAM not available
EOF
END

# A command line that lacks a word, or two.
misused() {
	talk "$@" <<END
== misuse: smtpd $*
env SSL=1
S: 421 wrong arguments for AUTH (#4.3.5)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: for AUTH, the arguments are: hostname checkpassword program *
END
}
misused mx.example.org
misused "$tests/checker" true
misused mx.example.org true
misused "$tests/checker" true true
misused "$tests/checker" /usr/bin/env true
misused mx.example.org true true
misused mx.example.org /bin/true true

# CRAM-MD5: the challenge, and its place on descriptor 3.
SMTPAUTH=+cram CONTROLDIR=$work/control QMAILQUEUE=$tests/queue-stub
export SMTPAUTH CONTROLDIR QMAILQUEUE
mkdir "$work/control"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
export SMTPD_AUTH_DELAY=0
start_tcpserver "$work/log" -- smtpd auth.example.org "$tests/checker" true
output=$(smtp-login -m CRAM-MD5 -l tim -p secret "$port")
like "$output" '^235 ' "CRAM-MD5"
like "$output" '^challenge <[0-9]+\.[0-9]{11,}@auth\.example\.org>$' \
	"its challenge has the form of RFC 2195, and the name of the command line"
is "$(printf '%s\n' "$output" | tail -n 3)" '250 ok
250 ok
221 mx.example.org' "the client may relay"
output=$(smtp-login -m CRAM-MD5 -l tim -p secrets -x 2 "$port")
like "$output" '^535 ' "CRAM-MD5 with another password"
is "$(printf '%s\n' "$output" | grep '^challenge' | sort -u | wc -l)" 2 \
	"no challenge comes twice"
stop "$server"
like "$(grep '^checker' "$work/log" | head -n 1)" \
	'^checker: tim\|[0-9a-f]{32}\|<[0-9.]*@auth.example.org>\|$' \
	"the answer is second, the challenge third"
export SMTPD_AUTH_CHALLENGE_FIRST=1
start_tcpserver "$work/log" -- smtpd auth.example.org "$tests/checker" true
like "$(smtp-login -m CRAM-MD5 -l tim -p secret "$port")" '^235 ' \
	"SMTPD_AUTH_CHALLENGE_FIRST"
stop "$server"
like "$(grep '^checker' "$work/log" | head -n 1)" \
	'^checker: tim\|<[0-9.]*@auth.example.org>\|[0-9a-f]{32}\|$' \
	"the challenge is second, the answer third"
unset SMTPAUTH SMTPD_AUTH_CHALLENGE_FIRST

# A delay after each failure, in which the client is not answered, and which is
# over when the client goes away.
export ALLOW_INSECURE_AUTH=1 SMTPD_AUTH_DELAY=3 SMTPD_AUTH_FAILURES=2
start_tcpserver "$work/log" -- smtpd mx.example.org "$tests/checker" true
cat >"$work/client" <<'END'
use IO::Socket::INET;
use Time::HiRes qw(time);
my ($port, $delay, @lines) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
<$socket>;
my $begin = time;
print $socket "$_\r\n" for @lines;
if (!$delay) {
	<$socket>;
	close $socket;
	exit;
}
while (<$socket>) {
	s/\r\n//;
	printf "%s %s\n", time - $begin < $delay ? 'at once:' : 'late:', $_;
}
END
timed perl "$work/client" "$port" 2.5 NOOP "$wrong" NOOP "$wrong" NOOP >"$work/out"
is "$(cat "$work/out")" 'at once: 250 ok
late: 535 authorization failed (#5.7.0)
late: 250 ok
late: 421 too many authentication failures (#4.7.0)' \
	"SMTPD_AUTH_DELAY: what has been replied before comes at once, and nothing else"
is_at_least 5900 "each failure has its delay"
stop "$server"
export CHECKER=hang SMTPD_HELPER_TIMEOUT=2
start_tcpserver "$work/log" -- smtpd mx.example.org "$tests/checker" true
output=$(perl "$work/client" "$port" 1.5 NOOP "$plain" QUIT)
is "$output" "at once: 250 ok
late: $child
late: 221 mx.example.org" "a checker that hangs: an earlier reply does not wait for it"
stop "$server"
unset CHECKER SMTPD_HELPER_TIMEOUT
export SMTPD_AUTH_DELAY=60
start_tcpserver "$work/log" -- smtpd mx.example.org "$tests/checker" true
timed perl "$work/client" "$port" 0 NOOP "$wrong"
wait_for_line "$work/log" '^tcpserver: end'
is_at_most 15000 "a client that goes away is not waited for"
stop "$server"

# Nothing of a password is left in memory, whatever became of it: looked for in all
# that the process could write to, when it waits for the next command. The last one
# is not covered by anything that came later.
cat >"$work/memory" <<'END'
use IO::Socket::INET;
use MIME::Base64;
my ($port, $log, @steps) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;
sub talk {
	print $socket "$_[0]\r\n";
	return scalar <$socket>;
}
<$socket>;
my ($good, $bad, $late) = ('secret', 'as/secret/as/can/be', 'spoken/out/of/turn');
my %talks = (
	step => sub {
		talk('AUTH LOGIN');
		talk(encode_base64('tim', ''));
		print talk(encode_base64($bad, ''));
	},
	malformed => sub {
		print talk('AUTH PLAIN ' . encode_base64("\0tim\0$bad\0", ''));
	},
	good => sub {
		talk('AUTH PLAIN');
		print talk(encode_base64("\0tim\0$good", ''));
	},
	late => sub {
		print talk('AUTH PLAIN ' . encode_base64("\0tim\0$late", ''));
	},
);
$talks{$_}->() for @steps;
open my $lines, '<', $log or die;
my ($pid) = map { /^qmail-smtpd\[(\d+)\]: AUTH / } reverse <$lines>;
open my $maps, '<', "/proc/$pid/maps" or die;
open my $memory, '<:raw', "/proc/$pid/mem" or exit 77;
my $all = '';
for (<$maps>) {
	/^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
	sysseek $memory, hex $1, 0;
	sysread $memory, my $bytes, hex($2) - hex($1) or next;
	$all .= $bytes;
}
exit 77 if length $all < 65536;
print "TCPREMOTEIP\n" if $all =~ /TCPREMOTEIP=127/;
for my $word ($good, $bad, $late) {
	# Of base64, what stands for the middle: its ends depend on what is beside.
	print "found $word\n" if index($all, $word) >= 0;
	for my $before (0 .. 2) {
		my $code = substr encode_base64('x' x $before . $word, ''), 4, -4;
		print "found $code\n" if length $code > 7 && index($all, $code) >= 0;
	}
}
END
export SMTPD_AUTH_DELAY=0 SMTPD_AUTH_FAILURES=0
start_tcpserver "$work/log" -- smtpd mx.example.org "$tests/checker" true
twice="503 you're already authenticated (#5.5.0)"
# forgets STEPS REPLIES
forgets() {
	# shellcheck disable=SC2086 # a list of words
	perl "$work/memory" "$port" "$work/log" $1 >"$work/out"
	if [ $? -eq 77 ]; then
		skip "nobody may look into memory here" "no password is left in memory"
	else
		is "$(tr -d '\r' <"$work/out")" "$2
TCPREMOTEIP" "no password is left in memory: $1"
	fi
}
if is_plain "passwords in memory"; then
	forgets 'malformed step' "$malformed
$refused"
	forgets 'step malformed' "$refused
$malformed"
	forgets 'step good' "$refused
$accepted"
	forgets 'good late' "$accepted
$twice"
fi
stop "$server"

done_testing
