#!/bin/sh
# smtpd's lists of what is not wanted: badmailfrom, badmailfromnorelay, badrcptto,
# badrcpttonorelay, badhelo; what their lines mean stands in tests/unit/pattern_list.c.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

cat >"$work/patterns.txt" <<'END'
== 50: badmailfrom: addresses and @domain as in qmail, with its words
control badmailfrom bad@client.example\n@evil.example
S: 220 *
C: MAIL FROM:<BAD@Client.example>
C: RCPT TO:<u@example.org>
C: RSET
C: MAIL FROM:<anybody@EVIL.example>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)
S: 250 flushed
S: 250 ok
S: 553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)
LOG: qmail-smtpd[*]: badmailfrom: <BAD@Client.example> at 192.0.2.7
LOG: qmail-smtpd[*]: badmailfrom: <anybody@EVIL.example> at 192.0.2.7

== badmailfrom: as a pattern
control badmailfrom ^spam.*@.*\\.example$
S: 220 *
C: MAIL FROM:<Spammer@client.example>
C: RCPT TO:<u@example.org>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 sorry, your envelope sender has been denied (#5.7.1)
S: 553 sorry, your envelope sender has been denied (#5.7.1)
C: RSET
C: MAIL FROM:<nospam@client.example>
C: RCPT TO:<u@example.org>
S: 250 flushed
S*2: 250 ok
LOG: qmail-smtpd[*]: badmailfrom: <Spammer@client.example> at 192.0.2.7

== badmailfrom: a pattern fits anywhere
control badmailfrom @evil.example
S: 220 *
C: MAIL FROM:<u@evil.example.com>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 sorry, your envelope sender has been denied (#5.7.1)

== badmailfrom: all but
control badmailfrom !@(client|partner)\\.example$
S: 220 *
C: MAIL FROM:<u@partner.example>
C: RCPT TO:<u@example.org>
C: RSET
C: MAIL FROM:<u@other.example>
C: RCPT TO:<u@example.org>
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
S: 250 flushed
S: 250 ok
S: 553 sorry, your envelope sender has been denied (#5.7.1)
S: 250 flushed
S*2: 250 ok

== an empty sender is on no list
control badmailfrom .*
control badmailfromnorelay .*
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok

== badmailfrom is for our own clients, too
control badmailfrom @client.example
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<u@client.example>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)

== badmailfromnorelay
control badmailfrom other
control badmailfromnorelay @example.org
S: 220 *
C: MAIL FROM:<u@example.org>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)
LOG: qmail-smtpd[*]: badmailfrom: <u@example.org> at 192.0.2.7

== badmailfromnorelay is not for our own clients
control badmailfromnorelay @example.org
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<u@example.org>
C: RCPT TO:<u@example.org>
S*2: 250 ok

== badrcptto
control badrcptto ^trap-.*@\n@secret.example.org\nplain@example.org
control rcpthosts example.org\n.example.org
S: 220 *
C: MAIL FROM:<u@client.example>
C: RCPT TO:<Trap-1@example.org>
C: RCPT TO:<u@Secret.example.org>
C: RCPT TO:<PLAIN@example.org>
C: RCPT TO:<trap@example.org>
C: RCPT TO:<trap-2@elsewhere.example>
S: 250 ok
S*3: 553 sorry, your envelope recipient has been denied (#5.7.1)
S: 250 ok
S: 553 sorry, your envelope recipient has been denied (#5.7.1)
LOG: qmail-smtpd[*]: badrcptto: <Trap-1@example.org> at 192.0.2.7
LOG: qmail-smtpd[*]: badrcptto: <u@Secret.example.org> at 192.0.2.7

== badrcptto: of a bounce as well
control badrcptto ^trap@
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<trap@example.org>
S: 250 ok
S: 553 sorry, your envelope recipient has been denied (#5.7.1)

== badrcptto is for our own clients, before anything is appended
control badrcptto @relay.example$
env RELAYCLIENT=@relay.example
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<u@relay.example>
S*2: 250 ok
S: 553 sorry, your envelope recipient has been denied (#5.7.1)

== badrcpttonorelay
control badrcpttonorelay ^staff@
S: 220 *
C: MAIL FROM:<u@client.example>
C: RCPT TO:<staff@example.org>
S: 250 ok
S: 553 sorry, your envelope recipient has been denied (#5.7.1)
LOG: qmail-smtpd[*]: badrcptto: <staff@example.org> at 192.0.2.7

== badrcpttonorelay is not for our own clients
control badrcpttonorelay ^staff@
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<u@client.example>
C: RCPT TO:<staff@example.org>
S*2: 250 ok

== badhelo: told at RCPT
control badhelo ^dynamic-[0-9]+\\.
S: 220 *
C: HELO Dynamic-7.client.example
S: 250 mx.example.org
C: MAIL FROM:<u@client.example>
S: 250 ok
C: RCPT TO:<u@example.org>
C: RCPT TO:<u@example.org>
S*2: 553 sorry, your HELO host name has been denied (#5.7.1)
LOG: qmail-smtpd[*]: badhelo: <Dynamic-7.client.example> at 192.0.2.7

== badhelo: EHLO, and a better name afterwards
control badhelo ^me$
S: 220 *
C: EHLO me
S*5: 250-*
S: 250 8BITMIME
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 sorry, your HELO host name has been denied (#5.7.1)
C: HELO client.example
S: 250 mx.example.org
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
C: HELO me
S: 250 mx.example.org
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 sorry, your HELO host name has been denied (#5.7.1)

== badhelo: no name given is on no list
control badhelo .*
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
C: HELO
S: 250 mx.example.org
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok

== badhelo is for our own clients, too
control badhelo ^me$
env RELAYCLIENT=
S: 220 *
C: HELO me
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 mx.example.org
S: 250 ok
S: 553 sorry, your HELO host name has been denied (#5.7.1)

== NOBADHELO, which only has to be there
control badhelo ^me$
env NOBADHELO=
S: 220 *
C: HELO me
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 mx.example.org
S*2: 250 ok

== LOGREGEX: the line that it was
control badhelo other\n^me$
control badmailfrom !@good.example$
control badmailfromnorelay zz
control badrcptto trap
env LOGREGEX=
S: 220 *
C: HELO Me
C: MAIL FROM:<u@bad.example>
C: RCPT TO:<trap@example.org>
C: HELO you
C: MAIL FROM:<u@bad.example>
C: RCPT TO:<trap@example.org>
C: RSET
C: MAIL FROM:<u@good.example>
C: RCPT TO:<trap@example.org>
S: 250 mx.example.org
S: 250 ok
S: 553 *HELO*
S: 250 mx.example.org
S: 250 ok
S: 553 *sender*
S: 250 flushed
S: 250 ok
S: 553 *recipient*
LOG: qmail-smtpd[*]: badhelo: <Me> at 192.0.2.7 matches pattern: ^me$
LOG: qmail-smtpd[*]: badmailfrom: <u@bad.example> at 192.0.2.7 matches pattern: !@good.example$
LOG: qmail-smtpd[*]: badrcptto: <trap@example.org> at 192.0.2.7 matches pattern: trap

== the order: HELO, sender, recipient, then our domains
control badhelo ^me$
control badmailfrom ^bad@
control badrcptto ^trap@
S: 220 *
C: HELO me
C: MAIL FROM:<bad@client.example>
C: RCPT TO:<trap@elsewhere.example>
C: HELO you
C: MAIL FROM:<bad@client.example>
C: RCPT TO:<trap@elsewhere.example>
C: RSET
C: MAIL FROM:<good@client.example>
C: RCPT TO:<trap@elsewhere.example>
C: RCPT TO:<u@elsewhere.example>
S: 250 mx.example.org
S: 250 ok
S: 553 *HELO*
S: 250 mx.example.org
S: 250 ok
S: 553 *sender*
S: 250 flushed
S: 250 ok
S: 553 *recipient*
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)

== and before these, signs of relaying
control badhelo ^me$
env RELAYREJ=1
S: 220 *
C: HELO me
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
S: 250 mx.example.org
S: 250 ok
S: 553 we don't relay (#5.7.1)

== a line that is no expression is told, and still its own letters
control badrcptto u(x@example.org\nlast@example.org
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<good@example.org>
C: RCPT TO:<U(X@example.org>
C: RCPT TO:<last@example.org>
S*2: 250 ok
S*2: 553 sorry, your envelope recipient has been denied (#5.7.1)
LOG: qmail-smtpd[*]: no regular expression in control/badrcptto: u(x@example.org

== the log and what comes from outside
control badhelo .
control badmailfrom .
S: 220 *
R: HELO \x1b[2J\xe4\r\n
R: MAIL FROM:<\xe4@client.example>\r\n
C: RCPT TO:<u@example.org>
S: 250 mx.example.org
S: 250 ok
S: 553 *
LOG: qmail-smtpd[*]: badhelo: <?[2J?> at 192.0.2.7

== long names against a list of patterns
limit 30
control badrcptto \{2000:^(a|b)*[0-9]+x?c@\n}^never@
S: 220 *
C: MAIL FROM:<>
R: RCPT TO:<\{880:a}@example.org>\r\n
S*2: 250 ok
END
dialogues "$work/patterns.txt"
cat >"$work/list.txt" <<'END'
== 10,000 lines, and 1,000 recipients
S: 220 *
C: MAIL FROM:<u@client.example>
C*1000: RCPT TO:<somebody.or.other@example.org>
S*1001: 250 ok
C: RCPT TO:<spammer-9999@example.org>
S: 553 *
END
mkdir "$work/control"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
perl -e 'print "spammer-$_\@example.org\n" for 1 .. 10000' \
	>"$work/control/badrcptto"
dialogues -e CONTROLDIR="$work/control" "$work/list.txt"
rm "$work/control/badrcptto"

# Files that cannot be read: no mail comes past a list that is not known.
for name in badmailfrom badmailfromnorelay badrcptto badrcpttonorelay badhelo; do
	mkdir "$work/control/$name"
	is "$(printf '%s\r\n' 'MAIL FROM:<>' 'RCPT TO:<u@example.org>' |
		CONTROLDIR=$work/control smtpd 2>"$work/log" | tail -n 1 |
		tr -d '\r')" '421 unable to read controls (#4.3.0)' \
		"57: control/$name is a folder"
	like "$(cat "$work/log")" "unable to read .*control/$name: " \
		'which is logged'
	rmdir "$work/control/$name"
done

# Each is opened once for a session, and only when somebody sends.
if can_trace 'each file is opened once'; then
	opened() {
		printf '%s\r\n' "$@" |
			CONTROLDIR=$work/control strace -o "$work/trace" smtpd >/dev/null
		grep -o 'control/bad[a-z]*' "$work/trace" | tr '\n' ' '
	}
	is "$(opened 'MAIL FROM:<a@b>' 'RCPT TO:<u@example.org>' \
		'RCPT TO:<v@example.org>' RSET 'HELO x' 'MAIL FROM:<a@c>' \
		'RCPT TO:<u@example.org>')" \
		'control/badmailfrom control/badmailfromnorelay control/badhelo control/badrcptto control/badrcpttonorelay ' \
		'each file is opened once'
	is "$(opened 'HELO x' QUIT)" '' 'and none when nobody sends'
	is "$(NOBADHELO='' RELAYCLIENT='' opened 'HELO x' 'MAIL FROM:<a@b>' \
		'RCPT TO:<u@example.org>')" \
		'control/badmailfrom control/badrcptto ' \
		'nor those that do not matter to our own clients'
fi

done_testing
