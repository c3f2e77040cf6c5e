#!/bin/sh
# The bytes of a message: what goes in comes out, wherever it is cut and however
# long it is, and nothing but CRLF . CRLF ends it.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# The smuggling table (case 27): all pairs of what may stand before and behind a
# dot. With a bare LF anywhere the session ends in a 451; without, the bytes are
# content. With ALLOW_BARELF they always are, a bare LF being a line end. In none is
# the command behind the dot a command.
perl - >"$work/smuggling.txt" <<'END'
my @ends = (
	['LF', '\n'], ['CR', '\r'], ['CRLF', '\r\n'], ['CR CRLF', '\r\r\n'],
	['LF CR', '\n\r'], ['LF LF', '\n\n'], ['NUL', '\0'],
	['CR NUL LF', '\r\0\n'], ['NUL CRLF', '\0\r\n'], ['nothing', ''],
);
sub decoded {
	my ($text) = @_;
	my @lines = split /\\r\\n/, $text, -1;
	# a dot before a CR stays: qmail looks for CRLF behind it first
	s/^\.(?!\\r)// for @lines;
	return join '\n', @lines;
}
sub normalized {
	my ($text) = @_;
	my ($is, $follows_crlf) = ('', 1);
	$text =~ s/\\([rn0])/{ r => "\r", n => "\n", 0 => "\0" }->{$1}/ge;
	for (split /(?<=\n)/, $text) {
		my ($line, $end) = /\A(.*?)(\r?\n|\z)/s;
		$line =~ s/^\.(?!\r)// unless $line eq '.';
		$is .= $line . ($end && "\n");
	}
	return $is =~ s/([\r\n\0])/{ "\r", '\r', "\n", '\n', "\0", '\0' }->{$1}/ger;
}
for my $before (@ends) { for my $behind (@ends) {
	my $around = "$before->[1].$behind->[1]";
	next if $around =~ /\\r\\n\.\\r\\n$/;
	my $text = "text${around}MAIL FROM:<smuggled\@client.example>\\r\\nend";
	my $bare = $text =~ s/\\r\\n//gr =~ /\\n/;
	print "== 27: $before->[0] . $behind->[0] is no end\n",
		"S: 220 *\nC: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\n",
		"C: DATA\nS*2: 250 ok\nS: 354 *\nR: $text\\r\\n.\\r\\n\n",
		$bare ? 'S: 451 See http://pobox.com/~djb/docs/smtplf.html.' .
			"\nEOF\n" :
			"S: 250 ok * qp *\nE: *\nM: " . decoded($text) . "\\n\n";
	print "== 27: nor with ALLOW_BARELF is $before->[0] . $behind->[0]\n",
		"env ALLOW_BARELF=1\n",
		"S: 220 *\nC: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\n",
		"C: DATA\nS*2: 250 ok\nS: 354 *\n",
		"R: $text\\r\\n.\\r\\nNOOP\\r\\n\n",
		"S: 250 ok * qp *\nS: 250 ok\nE: *\nM: ",
		normalized($text), "\\n\n";
} }
for my $before ('\r\n', '\r\r\n', '\0\r\n') {
	print "== 28: $before.\\r\\n is an end\n",
		"S: 220 *\nC: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\n",
		"C: DATA\nS*2: 250 ok\nS: 354 *\nR: text$before.\\r\\nNOOP\\r\\n\n",
		"S: 250 ok * qp *\nS: 250 ok\nE: *\n",
		'M: text', $before =~ s/\\r\\n$/\\n/r, "\n";
}
END
dialogues "$work/smuggling.txt"
dialogues -b "$work/smuggling.txt"
cat >"$work/bare.txt" <<'END'
== bare LFs, with dots that were doubled and one that was not
env ALLOW_BARELF=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: Subject: x\n\n..a\n...\n.\n.\r\n.b\n..\r\n\n.\r\n.\r\nNOOP\r\n
S: 250 ok * qp *
S: 250 ok
E: *
M: Subject: x\n\n.a\n..\n.\n.\nb\n.\n\n.\n

== they end the header, too, and a hop counts behind one
env ALLOW_BARELF=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: \{99:Received: x\n}\nReceived: y\r\n.\r\n
S: 250 ok * qp *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: \{100:Received: x\n}\n\r\n.\r\n
S: 554 too many hops*
E: *
M: \{99:Received: x\n}\nReceived: y\n

== one byte each in DATABYTES
env ALLOW_BARELF=1
env DATABYTES=4
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: a\nb\r\n.\r\n
S: 250 ok * qp *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: a\n\nb\r\n.\r\n
S: 552 *
E: *
M: a\nb\n

== a client that ends with bare LFs waits, and is told of the timeout
once
env ALLOW_BARELF=1
control timeoutsmtpd 1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: a\n.\n
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== ALLOW_BARELF=0
env ALLOW_BARELF=0
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: a\nb\r\n.\r\n
S: 451 See http://pobox.com/~djb/docs/smtplf.html.
EOF
STATUS: 1
END
dialogues "$work/bare.txt"
dialogues -a "$work/bare.txt"
dialogues -b "$work/bare.txt"

# Ends of lines and of messages around every size that a buffer may have.
perl - >"$work/sizes.txt" <<'END'
for my $size (map { 1 << $_ } 8 .. 17) {
	print "== a message whose end lies around $size bytes\nS: 220 *\n";
	for my $length ($size - 12 .. $size + 2) {
		print "C: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\n",
			"C: DATA\nS*2: 250 ok\nS: 354 *\n",
			"R: \\{$length:x}\\r\\n..\\r\\n.y\\r\\n.\\r\\nNOOP\\r\\n\n",
			"S: 250 ok * qp *\nS: 250 ok\nE: *\n",
			"M: \\{$length:x}\\n.\\ny\\n\n";
	}
}
END
dialogues "$work/sizes.txt"

# Messages of random bytes with many dots and line ends; the seed is said.
perl - >"$work/random.txt" <<'END'
my $seed = $ENV{SEED} // 1; # another one is another test
srand $seed;
for my $number (1 .. 40) {
	my @pieces = map { ("\r\n", "\r\n.", "\r\n\r\n", "\r", '..', '.', "\0",
		"\r\n..\r\n", chr 1 + int rand 255, 'x' x rand 300)[rand 10] }
		1 .. 1 + rand 400;
	my $text = join('', @pieces) =~ s/\n//gr =~ s/\r/\r\n/gr;
	$text = "$text\r\n" =~ s/\r\n/\n/gr =~ s/\n(?:\r*\n)+/\n\n/gr;
	my $sent = $text =~ s/^\./../mgr =~ s/\n/\r\n/gr;
	my ($is, $said) = map {
		s/([^A-Za-z0-9. ])/sprintf '\\x%02x', ord $1/gesr } $text, $sent;
	print "== random bytes $number, SEED=$seed\nS: 220 *\n",
		"C: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\nC: DATA\n",
		"S*2: 250 ok\nS: 354 *\nR: $said.\\r\\n\nS: 250 ok * qp *\n",
		"E: *\nM: $is\n";
}
END
dialogues "$work/random.txt"
dialogues -a "$work/random.txt"

# A message of 100 MB; memory is not ours to count under a sanitizer.
megabytes=100
[ -z "${SANITIZE:-}" ] || megabytes=10
mkdir "$work/control" "$work/queue"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
big=$(CONTROLDIR=$work/control QUEUE_DIR=$work/queue QUEUE_PLAN=discard \
	QMAILQUEUE=$tests/queue-stub big-message "$megabytes" smtpd 2>&1)
like "$big" '^250 ok [0-9]+ qp [0-9]+$' "a message of $megabytes MB"
is "$(cat "$work/queue/1/digest")" "$(printf '%s\n' "$big" | sed -n 3p)" \
	'every byte of it arrives'
memory=$(printf '%s\n' "$big" | sed -n 2p)
if [ -n "${SANITIZE:-}" ]; then
	ok 'memory is not counted under a sanitizer'
elif [ "${memory:-9999}" -lt 4096 ]; then
	ok "smtpd needs less than 4 MB for it ($memory KiB)"
else
	not_ok 'smtpd needs less than 4 MB for it' "VmHWM: $memory KiB"
fi

done_testing
