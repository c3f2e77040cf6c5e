#!/bin/sh
# smtpd and those who mean harm: bytes that would be commands, replies, header
# lines or log lines of their own, wherever they come from (smtpd-data.t has the
# message's, smtpd-plugins.t the plugins'); addresses of every form; guesses of
# passwords; floods, for hours and of gigabytes; and slow clients in each state.
# Memory is not counted under a sanitizer.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# A checker's only login, and a wrong one.
export SMTPD_AUTH_DELAY=0
login='AUTH PLAIN AHRpbQBzZWNyZXQ='
guess='AUTH PLAIN AHRpbQBndWVzcw=='

# --- addresses of every form, against a second reading of the same rules ---
perl - >"$work/forms.txt" <<'END'
my $seed = $ENV{SEED} // 1; # another one is another test
srand $seed;
my @beginnings = ('FROM:', 'from:', 'FROM: ', 'FROM:   <', 'FROM:<', 'FROM:<',
	'FROM:<', 'FROM<', 'FROM', '', ':', '<', 'FROM:"<', "FROM\t:<");
my @ends = ('>', '>', '>', '', '> ', '> SIZE=1', '>SIZE=1', '> SIZE=', '> SIZE=-1',
	'> size=99999999999999999999', '> SIZE=1 SIZE=x', '> BODY=8bitmime',
	'> BODY=', '> BODY', '> SMTPUTF8', '> SMTPUTF8=', '> AUTH=<>', '> =',
	'> FOO= BAR', ' SIZE=x', '>> SIZE=x', '>  SIZE=1  BODY=x', "> \xff");
my @pieces = ('<', '>', '@', '@', '"', '"', '\\', ' ', ':', ',', ';', 'a', 'b.c',
	'client.example', "\xc3\xa4", "\xff", '[127.0.0.1]', '[192.0.2.1]',
	'[IPv6:::1', '(x)', '%', '!', '-', "'", '|', '$(id)', '`id`', '#', '=',
	'/../', '.', '..', 'x' x 300, 'SIZE=x');
my @never = ("\t", "\r", "\e[2J", "\x7f", "\x01");
my @fixed = ('FROM:<>', 'FROM:<@>', 'FROM:<@', 'FROM:<@:>', 'FROM:<@a:>', 'FROM:<@a',
	'FROM:<"">', 'FROM:<">', 'FROM:<\\>', 'FROM:<\\', 'FROM:<"\\">', 'FROM:<<>>',
	'FROM:<a@[127.0.0.1]>', 'FROM:a@[127.0.0.1]>', 'FROM:<@[127.0.0.1]>',
	'FROM:<[127.0.0.1]>', 'FROM:<"a@[127.0.0.1]">', 'FROM:<a@[127.0.0.1].>',
	'FROM:<' . 'x' x 899 . '>', 'FROM:<' . 'x' x 900 . '>',
	'FROM:<' . '"' x 1200 . 'a@b>', 'FROM:<' . '@' x 1500 . ':a@b>',
	'FROM:<' . '\\' x 1798 . '>', 'FROM:<' . '\\' x 1801 . '>',
	'FROM: a@b SIZE=x', 'FROM: "a b"@c SIZE=1', 'FROM:  ', 'FROM:<a>b@c>',
	'TO:<a@b>', 'x FROM:<a@b>', '::<a', ': :', '<:');
sub drawn {
	my $form = $beginnings[rand @beginnings];
	$form .= $pieces[rand @pieces] for 1 .. rand 9;
	$form .= $never[rand @never] if rand > 0.93;
	return $form . $ends[rand @ends];
}
# What smtpd.8 says of an address: the address, and what is behind it.
sub reading {
	my ($argument) = @_;
	my ($rest, $end) = ($argument =~ s/\A[^<]*<//r, '>');
	if ($argument !~ /</) {
		return unless $argument =~ /\A[^:]*: *(.*)\z/s;
		($rest, $end) = ($1, ' ');
	}
	if ($rest =~ /\A\@/) { $rest =~ s/\A[^:]*(?::|\z)//s }
	my ($address, $quoted) = ('', 0);
	while ($rest =~ s/\A(\\?)(.)//s or length $rest) {
		my ($escaped, $byte) = length $rest || defined $2 ? ($1, $2) : last;
		last unless defined $byte;
		if (!$escaped && $byte eq '"') { $quoted = !$quoted; next }
		last if !$escaped && $byte eq $end && !$quoted;
		last if !$escaped && $byte eq '\\';
		return if $byte =~ /[\x00-\x1f\x7f]/ || length $address == 899;
		$address .= $byte;
	}
	$address =~ s/\@\[127\.0\.0\.1\]\z/\@mx.example.org/;
	return ($address, $rest);
}
sub reply_to {
	my ($parameters) = @_;
	for (grep { length } split / +/, $parameters) {
		my ($name, $value) = /\A([^=]*)(?:=(.*))?\z/s;
		return '501 syntax error in SIZE (#5.5.4)' if uc $name eq 'SIZE' &&
			($value // '') !~ /\A[0-9]{1,20}\z/;
		return '501 syntax error in BODY (#5.5.4)' if uc $name eq 'BODY' &&
			($value // '') !~ /\A(7BIT|8BITMIME)\z/i;
		return '501 syntax error in SMTPUTF8 (#5.5.4)'
			if uc $name eq 'SMTPUTF8' && defined $value;
	}
	return '250 ok';
}
sub said { return $_[0] =~ s/([^A-Za-z0-9@.])/sprintf '\\x%02x', ord $1/gesr }

print "env RELAYCLIENT=\nenv LOGLEVEL=4\nenv QMAILSMTPD_LOG_MAIL=1\n",
	"env QMAILSMTPD_LOG_RCPT=1\n";
for my $number (1 .. 220) {
	my ($sender, $recipient) = (shift @fixed // drawn(), drawn());
	my @forms = ($sender, $recipient =~ s/FROM/TO/ir);
	my $envelope;
	print "== addresses $number, SEED=$seed\nS: 220 *\n";
	for my $verb ('MAIL', 'RCPT') {
		my $form = shift @forms;
		print "R: $verb ", said($form), "\\r\\n\n";
		# blanks behind the verb are not its argument
		my ($address, $rest) = reading($form =~ s/\A +//r);
		my $reply = !defined $address ? '555 syntax error (#5.5.4)'
			: $verb eq 'MAIL' ? reply_to($rest)
			: length $address ? '250 ok' : '555 syntax error (#5.5.4)';
		print "S: $reply\n";
		if ($verb eq 'MAIL') {
			print "C: MAIL FROM:<>\nS: 250 ok\n" if $reply !~ /^250/;
			$envelope = $reply =~ /^250/ ? 'F' . said($address) : 'F';
		} elsif ($reply =~ /^250/) {
			$envelope .= '\0T' . said($address);
		}
	}
	print "C: RCPT TO:<u\@example.org>\nC: DATA\nS: 250 ok\nS: 354 *\nC: .\n",
		"S: 250 ok * qp *\nE: $envelope\\0Tu\@example.org\\0\\0\nM:\n";
}
END
dialogues "$work/forms.txt"

# --- chunks ---
# Whatever stands around a dot, with ALLOW_BARELF or without: the chunk's size is
# its end, and the bytes behind it are the next command.
perl - >"$work/chunks.txt" <<'END'
my @ends = ('\n', '\r', '\r\n', '\r\r\n', '\n\r', '\n\n', '\0', '\r\0\n', '\0\r\n', '');
for my $before (@ends) { for my $setting (0, 1) {
	print "== 27, 56: $before . in chunks, ALLOW_BARELF=$setting\n",
		"env ALLOW_BARELF=$setting\nS: 220 *\n";
	for my $behind (@ends) {
		my @text = ("text$before", ".${behind}MAIL FROM:<smuggled\@x.example>\\r\\n");
		print "C: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\nS*2: 250 ok\n";
		print $setting ? "B: $text[0]\nL: $text[1]\n" : "L: $text[0]$text[1]\n";
		print "C: NOOP\n", $setting ? "S: 250 ok\n" : '',
			"S: 250 ok * qp *\nS: 250 ok\nE: *\n",
			'M: ', "$text[0]$text[1]" =~ s/\\r\\n/\\n/gr, "\n";
	}
} }
END
dialogues "$work/chunks.txt"
dialogues -a "$work/chunks.txt"

# --- what may not be in a command ---
# One reply to each, all of it printable, and so is the log.
perl - >"$work/injected.txt" <<'END'
print "env LOGLEVEL=4\nenv XCLIENT=1\nenv SSL=1\nenv SMTPAUTH=+cram\n",
	"env QMAILSMTPD_LOG_MAIL=1\nenv QMAILSMTPD_LOG_RCPT=1\n";
for my $bytes ('\rQUIT', '\r\rQUIT', '\r250 ok', '\x1b[2J', '\x01', '\x7f', '\t') {
	print "== in commands: $bytes\nS: 220 *\n",
		"R: HELO x${bytes}y\\r\\n\nS: 250 *\n",
		"R: EHLO x${bytes}y\\r\\n\nS: 250-mx.example.org\nS*8: 250*\n",
		map { "R: $_->[0]\\r\\n\nS: $_->[1]\n" }
		["MAIL FROM:<a${bytes}\@b>", '555 syntax error (#5.5.4)'],
		["MAIL FROM:<a\@b${bytes}>", '555 syntax error (#5.5.4)'],
		["MAIL${bytes} FROM:<a\@b>", '502 *'],
		["MAIL FROM:<a\@b> SIZE=1${bytes}", '501 syntax error in SIZE (#5.5.4)'],
		["MAIL FROM:<a\@b> BODY=${bytes}", '501 syntax error in BODY (#5.5.4)'],
		["AUTH PLAIN${bytes}", '504 *'],
		["AUTH PLAIN AHRpbQBzZWNyZXQ=${bytes}", '501 *'],
		["AUTH PLAIN\\r\\nAHRpbQ${bytes}BzZWNyZXQ=", "334 \nS: 501 *"],
		["AUTH LOGIN\\r\\ndGlt${bytes}", "334 *\nS: 501 *"],
		["AUTH CRAM-MD5\\r\\n${bytes}", "334 *\nS: 501 *"],
		(map { ["XCLIENT ADDR=192.0.2.1 $_=1${bytes}", '501 *'] }
			qw(NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT)),
		["XCLIENT NAME${bytes}=x", '501 *'],
		["NOOP x${bytes}y", '250 ok'], ["VRFY x${bytes}y", '252 *'],
		["HELP x${bytes}y", '214 *'], ["EXPN x${bytes}y", '502 *'],
		["RSET x${bytes}y", '250 flushed'],
		["${bytes}", '502 *'], ["x${bytes}", '502 *'],
		["MAIL FROM:<a\@b> FOO=${bytes}", '250 ok'],
		["RCPT TO:<a${bytes}\@example.org>", '555 *'],
		["RCPT TO:<${bytes}>", '555 *'],
		["RCPT TO:<u\@example.org> ${bytes}", '250 ok'],
		["DATA ${bytes}", '354 *'], ['.', '250 ok * qp *'];
	print "E: Fa\@b\\0Tu\@example.org\\0\\0\n",
		"T: Received: from * (HELO x*y) (192.0.2.7)\\n  by * with *; *\\n\nM:\n";
	print "== in the size of a chunk: $bytes\nS: 220 *\n",
		"R: BDAT 1${bytes}\\r\\n\nS: 501 syntax error in BDAT (#5.5.4)\nEOF\n";
}
END
dialogues "$work/injected.txt" -- smtpd mx.example.org "$tests/checker" true
dialogues -a "$work/injected.txt" -- smtpd mx.example.org "$tests/checker" true

# --- what others say of the client ---
cat >"$work/environment.txt" <<'END'
env LOGLEVEL=4
env TCPREMOTEIP=192.0.2.7\r\nX-A: b\n\n\xff
env TCPREMOTEHOST=client\r\n250 ok\x1b[2J
env TCPREMOTEINFO=info)\n\n\0
env TCPLOCALHOST=here\r\n
env TCPLOCALIP=\r\n
env SSL=1
env SSL_CIPHER=TLS\r\nX-B: c
env SSL_PROTOCOL=TLSv1\n\n.3
env SSL_VERIFY_STATUS=OK
env SSL_CLIENT_S_DN_Email=a@b\r\nX-C: d
env SMTPGREETING=mx.example.org\r\n250 ok
== by the environment: log and trace
env VALIDRCPTTO_LOG=2
env QMAILSMTPD_LOG_MAIL=1
S: 220 mx.example.org??250 ok ESMTP
C: HELO x
S: 250 mx.example.org??250 ok
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: from client??250?ok?[2J (HELO x) (info???@192.0.2.7??X-A:?b???)\n  by here?? with TLS??X-B:?c encrypted SMTP cert a@b??X-C:?d; *\n
M:

== the trace with SMTP_PROTOCOL_WORDS
env SMTP_PROTOCOL_WORDS=1
env SMTP_AUTH_RESULTS=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Authentication-Results: *; none\nReceived: from *\n  by here?? with ESMTPS (TLSv1??.3 TLS??X-B:?c); *\n

== replies
env BLOCKRELAYPROBE=
control tlsclients x@example.net
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<a%b@example.org>
S: 553 sorry, we don't relay for [192.0.2.7??X-A: b???] (#5.7.1)
C: RCPT TO:<u@elsewhere.example>
S: 553 no valid cert for gatewaying (#5.7.1)

== of a client's certificate
env SSL_VERIFY_STATUS=FAIL
env SSL_VERIFY_STRING=no such\r\n250 ok\x01\xff
control tlsclients x@example.net
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 553 no valid cert for gatewaying: no such??250 ok?? (#5.7.1)

== greetings that refuse
env 550GREETING=no\r\n250 ok\xff
S: 554 mx.example.org no??250 ok?
C: QUIT
S: 221 *
END
sed 's/info)\\n\\n\\0/info)\\n\\n/' "$work/environment.txt" >"$work/environment-2.txt"
dialogues "$work/environment-2.txt"

# --- what helpers answer ---
mkdir "$work/helpers"
# helper NAME WORDS EXIT: with escapes
helper() {
	printf '%b' "$2" >"$work/helpers/$1.words"
	printf '#!/bin/sh\ncat %s\nexit %s\n' "$work/helpers/$1.words" "$3" \
		>"$work/helpers/$1"
	chmod 755 "$work/helpers/$1"
}
evil='no\r250 ok\0011\033[2J\0377'
helper rblcheck "addheader\\tlist\\rX-A: b\\tany\\t127.0.0.2\\t$evil\\n" 0
helper mxcheck "ok\\n\\rnone" 0
helper spfcheck \
	"fail\\n$evil\\nReceived-SPF: fail ($evil\\rX-B: c)\\nd$evil mailfrom x\\n" 1
cat >"$work/helpers.txt" <<END
env PATH=$work/helpers:$PATH
env LOGLEVEL=4
== by helpers: header fields
env RBL=
env SPFBEHAVIOR=1
env SPF_LOG=1
env SMTP_AUTH_RESULTS=1
S: 220 *
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=*\\nX-RBL: (list?X-A: b) tells us no?250 ok??[2J?\\nReceived-SPF: fail (no?250 ok??[2J??X-B: c)\\nReceived: from *

== replies: SPF
env SPFBEHAVIOR=3
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 no?250 ok??[2J? (#5.7.1)

== an answer with more to it is none
env MFCHECK=3
S: 220 *
C: MAIL FROM:<a@client.example>
S: 451 DNS temporary failure (#4.3.0)
LOG: qmail-smtpd[*]: mxcheck: exit 0, and no answer
END
dialogues "$work/helpers.txt"
helper rblcheck "reject\\tlist\\rx\\tany\\t127.0.0.2\\t$evil\\n" 0
cat >"$work/rejected.txt" <<END
env PATH=$work/helpers:$PATH
env LOGLEVEL=4
== replies: RBL
env RBL=
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [192.0.2.7] is rejected by no?250 ok??[2J?
LOG: qmail-smtpd[*]: RBL reject [192.0.2.7] list?x
END
dialogues "$work/rejected.txt"
cat >"$work/variables.txt" <<END
env PATH=$work/helpers:$PATH
env LOGLEVEL=4
env SSL=1
env AUTH_CDB=$work/variables.txt
env SMTPD_AUTH_DELAY=0
== variables of a login
S: 220 *
C: $login
S: 235 *
C: RSET
S: 250 flushed
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: from client.example.net (tim@192.0.2.7)\\n  by mx.example.org with *\\n
END
helper auth-cdb 'TCPREMOTEHOST2=a\r\nb\0=x\0\0TCPREMOTEINFO=evil\r\n\0SMTP_AUTH_USER=root\0' 0
dialogues "$work/variables.txt"

# --- behind STARTTLS ---
# What is said in the same breath is not obeyed, whatever it is.
for behind in "$login" 'XCLIENT ADDR=192.0.2.1 LOGIN=root' 'BDAT 5 LAST\r\nhello' \
	'MAIL FROM:<>' 'RSET' 'STARTTLS' '' 'EHLO x\r\nMAIL FROM:<>\r\nDATA'; do
	cat <<END
== behind STARTTLS: $behind
once
env XCLIENT=1
env AUTH_CDB=/dev/null
env ALLOW_INSECURE_AUTH=1
S: 220 *
R: STARTTLS\\r\\n$behind\\r\\n
S: 554 no commands behind STARTTLS (#5.5.1)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: commands behind STARTTLS

END
done >"$work/starttls.txt"
cat >>"$work/starttls.txt" <<END
== what was before it is not obeyed behind it: a login, a client, a chunk
once
env XCLIENT=1
env AUTH_CDB=$work/variables.txt
env PATH=$work/helpers:$PATH
env ALLOW_INSECURE_AUTH=1
env TLS_BLOCK=SSL_CIPHER=A%0d%0aX-A:b@SSL_PROTOCOL=%0a%0a@RELAYCLIENT=@SSL_X%0a=y@@
S: 220 *
C: $login
S: 235 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: BDAT 2
R: x\\r
S*3: 250 ok
C: STARTTLS
S: 220 ready for tls
C: BDAT 1 LAST
R: \\n
S: 503 MAIL first (#5.5.1)
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 *
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: from client.example.net (192.0.2.7)\\n  by mx.example.org with A??X-A:b encrypted SMTP; *\\n
M:
END
dialogues "$work/starttls.txt" -- ucspi-plain smtpd

# --- passwords ---
# All guesses at once: three are tried, each costs its time, and nothing behind
# the last reply is read.
cat >"$work/guesses.txt" <<END
== guesses in one breath
limit 30
env SSL=1
env SMTPD_AUTH_DELAY=1
S: 220 *
C*50: $guess
C: $login
S*2: 535 authorization failed (#5.7.0)
S: 421 too many authentication failures (#4.7.0)
EOF
STATUS: 1
END
timed dialogue "$work/guesses.txt" -- smtpd mx.example.org \
	sh -c "echo >>'$work/tried'; exec checker true" true >"$work/out" 2>&1
like "$(cat "$work/out")" '^ok 1' 'of fifty guesses in one breath three are tried'
is "$(wc -l <"$work/tried" | tr -d ' ')" 3 'and the checker asked for no more'
is_at_least 3000 'each of which takes its time'

mkdir "$work/control" "$work/queue"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
CONTROLDIR=$work/control
QUEUE_DIR=$work/queue
QMAILQUEUE=$tests/queue-stub
TCPREMOTEIP=192.0.2.7
export CONTROLDIR QUEUE_DIR QMAILQUEUE TCPREMOTEIP

# --- floods ---
# memory LIMIT NAME: the last line of $flooded is below LIMIT KiB
memory() {
	kib=$(printf '%s\n' "$flooded" | tail -n 1)
	if [ -n "${SANITIZE:-}" ] || [ "$kib" -lt "$1" ] 2>/dev/null; then
		ok "$2"
	else
		not_ok "$2" "VmHWM: $kib KiB"
	fi
}
# floods NAME ARGUMENT…: flood's replies are those of standard input, and 4 MB
# are enough
floods() {
	floods_name=$1
	shift
	flooded=$(flood "$@" 2>&1)
	is "$(printf '%s\n' "$flooded" | sed '$d')" "$(cat)" "$floods_name"
	memory 4096 "$floods_name: no memory"
}
with_auth="smtpd mx.example.org checker true"
floods 'a command of 2.2 GB' '{1000000:x}' 2200 smtpd <<'END'
1 500 line too long (#5.5.2)
1 502 unimplemented (#5.5.1)
END
# shellcheck disable=SC2086 # words
SSL=1 floods 'an AUTH of 2.2 GB' -f 'AUTH PLAIN ' '{1000000:A}' 2200 $with_auth <<'END'
1 500 line too long (#5.5.2)
1 502 unimplemented (#5.5.1)
END
# shellcheck disable=SC2086 # words
SSL=1 floods 'an answer of 2.2 GB' -f 'AUTH LOGIN\r\n' '{1000000:A}' 2200 $with_auth <<'END'
1 334 VXNlcm5hbWU6
1 500 line too long (#5.5.2)
1 502 unimplemented (#5.5.1)
END
# shellcheck disable=SC2086 # words
SSL=1 floods '20,000 of AUTH that come to nothing' \
	'AUTH PLAIN =\r\nAUTH LOGIN\r\n*\r\nAUTH X {400:x}\r\nAUTH LOGIN dGlt\r\n{9000:A}!\r\n' \
	4000 $with_auth <<'END'
8000 501 malformed auth input (#5.5.4)
4000 334 UGFzc3dvcmQ6
4000 334 VXNlcm5hbWU6
4000 501 auth exchange cancelled (#5.0.0)
4000 504 auth type not available (#5.5.1)
2 502 unimplemented (#5.5.1)
END
floods '300,000 commands for nothing' \
	'NOOP\r\nRSET\r\nHELO {255:x}\r\nVRFY\r\nDATA\r\nRCPT TO:<u@example.org>\r\n' \
	50000 smtpd <<'END'
100000 503 MAIL first (#5.5.1)
50000 250 flushed
50000 250 mx.example.org
50000 250 ok
50000 252 send some mail, i'll try my best
2 502 unimplemented (#5.5.1)
END
begin='MAIL FROM:<>\r\nRCPT TO:<u@example.org>\r\n'
floods '100,000 empty chunks' -f "$begin" 'BDAT 0\r\n' 100000 smtpd <<'END'
100002 250 ok
2 502 unimplemented (#5.5.1)
END
floods '50,000 chunks of a byte' -f "$begin" 'BDAT 1\r\n\r' 50000 smtpd <<'END'
50002 250 ok
2 502 unimplemented (#5.5.1)
END
floods '100,000 chunks of no message' 'BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n' 50000 smtpd <<'END'
100000 503 MAIL first (#5.5.1)
2 502 unimplemented (#5.5.1)
END
floods '300 messages of which there is a chunk' \
	"${begin}BDAT 3\\r\\nx\\r\\nRSET\\r\\n" 300 smtpd <<'END'
900 250 ok
300 250 flushed
2 502 unimplemented (#5.5.1)
END
XCLIENT=1 floods '20,000 clients by XCLIENT' \
	'XCLIENT ADDR=192.0.2.1 NAME={200:x} LOGIN={200:y}\r\nXCLIENT ADDR=::1 HELO={200:z}\r\n' \
	10000 smtpd <<'END'
2 502 unimplemented (#5.5.1)
END

# What has been said is told before anybody is asked about the next command: the
# helper waits for a client that goes on when it has heard.
mkfifo "$work/heard" "$work/said"
for name in rblcheck mxcheck spfcheck plugin; do
	printf '#!/bin/sh\ncat %s >/dev/null\n' "$work/heard" >"$work/helpers/$name"
done
chmod 755 "$work/helpers/plugin"
printf '[mail]\nplugin\n' >"$CONTROLDIR/smtpplugins"
# told SETTING: the reply to what came with MAIL
told() {
	(
		exec 3<>"$work/said"
		PATH=$work/helpers:$PATH SMTPD_HELPER_TIMEOUT=10 env "$1" smtpd \
			<&3 2>/dev/null | {
			read -r _
			printf 'RSET\r\nMAIL FROM:<a@client.example>\r\n' >&3
			read -r reply
			echo "$reply" | tr -d '\r'
			timeout 15 sh -c "echo >'$work/heard'"
			printf 'QUIT\r\n' >&3
		}
	)
}
for setting in RBL= MFCHECK=1 SPFBEHAVIOR=1 ENABLE_SPP=; do
	timed told "$setting" >"$work/out"
	is "$(cat "$work/out")" '250 flushed' "$setting: RSET is replied to"
	is_at_most 5000 'before MAIL is asked about'
done

# --- slow clients ---
cat >"$work/slow.txt" <<END
once
limit 20
env SSL=1
control timeoutsmtpd 1
== slow: in an answer to AUTH, each byte has its own time
S: 220 *
C: AUTH LOGIN
S: 334 *
R: dG
WAIT 0.8
R: lt
WAIT 0.8
R: \\r\\n
S: 334 *
R: c2Vj
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== slow: with SMTPD_COMMAND_TIMEOUT all together
env SMTPD_COMMAND_TIMEOUT=1
S: 220 *
C: AUTH LOGIN
S: 334 *
R: dG
WAIT 0.6
R: lt
WAIT 0.6
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== slow: in a line that is too long
env SMTPD_COMMAND_TIMEOUT=1
S: 220 *
R: \\{3000:x}
WAIT 0.6
R: x
WAIT 0.6
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== slow: in a message, each byte has its own time, and an end
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: x\\r
WAIT 0.8
R: \\n
WAIT 0.8
R: .
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== slow: in a chunk, and in one that is passed over
S: 220 *
C: BDAT 3
R: x
WAIT 0.8
R: y
WAIT 0.8
R: z
S: 503 MAIL first (#5.5.1)
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
C: BDAT 3
R: x
WAIT 0.8
R: y
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== slow: before TLS begins, and where it never does
env SSL
env TLS_BLOCK=hang
S: 220 *
C: STARTTLS
S: 220 *
EOF
STATUS: 1
LOG: qmail-smtpd[*]: TLS failed [192.0.2.7]: timeout
END
dialogues "$work/slow.txt" -- ucspi-plain smtpd mx.example.org "$tests/checker" true

done_testing
