#!/bin/sh
# smtpd and the DNS lists of control/rbllist: RBL and RBLONLYHEADER, over a real
# rbldnsd; and a rblcheck that fails.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
start_rbldnsd
start_dns_faults
real=127.0.0.1:$lists_port
faults=127.0.0.1:$faults_port
export DNSCACHEIP="$real"

# rbl: the dialogues of standard input
rbl() {
	cat >"$work/rbl.txt"
	dialogues -e "DNSCACHEIP=$DNSCACHEIP" "$work/rbl.txt"
}
# accepted FIELDS: the rest of a case whose mail comes through, with those above
# our Received
accepted() {
	cat <<END
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
${1:-T: }Received: *
END
}
{
	cat <<'END'
env RBL=
env TCPREMOTEIP=192.0.2.1
== reject
control rbllist bl.test reject any See http://bl.test/
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [192.0.2.1] is rejected by See http://bl.test/
C: RCPT TO:<u@example.org>
S: 503 MAIL first (#5.5.1)
LOG: qmail-smtpd[*]: RBL reject [192.0.2.1] bl.test

== reject, of IPv6
control rbllist bl.test reject any See http://bl.test/
env TCPREMOTEIP=2001:db8:1::1
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [2001:db8:1::1] is rejected by See http://bl.test/

== every sender is refused
control rbllist bl.test reject any x
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 *
C: MAIL FROM:<>
S: 553 sorry, your mailserver [192.0.2.1] is rejected by x

== the first one that rejects
control rbllist a.test addheader any a\nseveral.test reject 127.0.0.99 n\nsecond.test reject any second\nbl.test reject any bl
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [192.0.2.1] is rejected by second
LOG: qmail-smtpd[*]: RBL reject [192.0.2.1] second.test

== a text of any bytes
control rbllist bl.test reject any caf\xe9\x1b[m\tend
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [192.0.2.1] is rejected by caf??[m?end

== a text as long as it may be is a reply of 512 bytes
control rbllist bl.test reject any \{300:m}
env TCPREMOTEIP=2001:db8:1:aaaa:aaaa:aaaa:aaaa:aaaa
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [2001:db8:1:aaaa:aaaa:aaaa:aaaa:aaaa] is rejected by \{300:m}

== a client that is not listed
control rbllist bl.test reject any x
env TCPREMOTEIP=192.0.2.2
S: 220 *
END
	accepted
	cat <<'END'

== addheader
control rbllist bl.test addheader any See http://bl.test/
S: 220 *
END
	accepted 'M: X-RBL: (bl.test) tells us See http://bl.test/\n'
	cat <<'END'

== addheader, with an address
control rbllist bl.test addheader 127.0.0.2 text
S: 220 *
END
	accepted 'M: X-RBL: (bl.test) matches with 127.0.0.2 and tells us text\n'
	cat <<'END'

== several, in the order of the file
control rbllist several.test addheader 127.0.0.11 one\nsecond.test addheader any two\na.test addheader 127.0.0.4 no\nbl.test#name addheader any three
S: 220 *
END
	accepted 'M: X-RBL: (several.test) matches with 127.0.0.11 and tells us one\nX-RBL: (second.test) tells us two\nX-RBL: (name) tells us three\n'
	cat <<'END'

== each message of the session
control rbllist bl.test addheader any text
S: 220 *
END
	accepted 'M: X-RBL: (bl.test) tells us text\n'
	accepted 'M: X-RBL: (bl.test) tells us text\n'
	cat <<'END'

== RBLONLYHEADER
env RBLONLYHEADER=
control rbllist bl.test reject any first\nsecond.test addheader any second
S: 220 *
END
	accepted 'M: X-RBL: (bl.test) tells us first\nX-RBL: (second.test) tells us second\n'
	cat <<'END'

== RBLONLYHEADER alone
env RBL
env RBLONLYHEADER=
control rbllist bl.test reject any first
S: 220 *
END
	accepted
	cat <<'END'

== without RBL
env RBL
control rbllist bl.test reject any first
S: 220 *
END
	accepted
	cat <<'END'

== RELAYCLIENT
env RELAYCLIENT=
control rbllist bl.test reject any first
S: 220 *
END
	accepted
	cat <<'END'

== no file
S: 220 *
END
	accepted
	cat <<'END'

== a client without an address
env TCPREMOTEIP
control rbllist bl.test reject any first
S: 220 *
END
	accepted
	cat <<'END'

== what is no address
env TCPREMOTEIP=-v
control rbllist bl.test reject any first
S: 220 *
END
	accepted
	cat <<'END'

== lists that fail list nobody
control rbllist refuse.test reject any x\nnowhere.test reject any x\nblocked.test reject any x
S: 220 *
END
	accepted
	cat <<'END'

== odd senders and lists: what needs nobody comes first
env NOBOUNCE=
control rbllist bl.test reject any x
S: 220 *
C: MAIL FROM:<>
S: 554 RFC2821 bounces are administratively denied

== a mistake in the file: mail is put off
control rbllist bl.test reject all x
S: 220 *
C: MAIL FROM:<a@client.example>
S: 451 unable to ask the DNS lists (#4.3.0)
LOG: rblcheck: fatal: */rbllist:1: the third word is neither any nor an address
LOG: qmail-smtpd[*]: rblcheck: exit 100, and no answer

== but where lists only add fields
env RBLONLYHEADER=
control rbllist bl.test reject all x
S: 220 *
END
	accepted
} >"$work/table"
rbl <"$work/table"

# They are asked once for a session.
DNSCACHEIP=$faults
forget_questions
rbl <<'END'
env RBL=
env TCPREMOTEIP=192.0.2.1
control rbllist once.test addheader any x\nnx.test reject any x
== three senders
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<b@client.example>
S: 250 ok
END
is "$(grep -v answered "$work/questions" | sort)" 'udp A 1.2.0.192.nx.test.
udp A 1.2.0.192.once.test.' 'the lists are asked once'
DNSCACHEIP=$real

# A checkpassword program that knows everybody.
printf '#!/bin/sh\ncat <&3 >/dev/null\nexec "$@"\n' >"$work/checker"
chmod 755 "$work/checker"
cat >"$work/login.txt" <<'END'
env RBL=
env ALLOW_INSECURE_AUTH=1
env TCPREMOTEIP=192.0.2.1
control rbllist bl.test reject any x
== a login: from then on, lists are not asked
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [192.0.2.1] is rejected by x
C: AUTH PLAIN AGEAYg==
S: 235 *
C: MAIL FROM:<a@client.example>
S: 250 ok
END
dialogues -e "DNSCACHEIP=$DNSCACHEIP" "$work/login.txt" -- \
	smtpd host "$work/checker" true

# --- a rblcheck that fails
mkdir "$work/bad"
# bad WHAT SCRIPT LOG
bad() {
	printf '#!/bin/sh\n%s\n' "$2" >"$work/bad/rblcheck"
	chmod 755 "$work/bad/rblcheck"
	{
		cat <<END
env PATH=$work/bad:$PATH
env SMTPD_HELPER_TIMEOUT=1
env RBL=
== $1: mail is put off
S: 220 *
C: MAIL FROM:<a@client.example>
S: 451 unable to ask the DNS lists (#4.3.0)
LOG: qmail-smtpd[*]: $3

== $1: unless only fields are wanted
env RBLONLYHEADER=
S: 220 *
END
		accepted
	} >"$work/bad.txt"
	rbl <"$work/bad.txt"
}
# shellcheck disable=SC2016 # of the script
bad 'it crashes' 'kill -SEGV $$' 'rblcheck: crashed'
bad 'it hangs' 'exec sleep 60' 'rblcheck: killed, too late'
bad 'it cannot read the file' 'exit 111' 'rblcheck: exit 111, and no answer'
bad 'it talks for ever' 'exec yes' 'rblcheck: killed, too late'
printf '#!/bin/sh\nprintf "reject\\tbl\\nreject\\nreject\\ta\\tb"\n' \
	>"$work/bad/rblcheck"
{
	cat <<END
env PATH=$work/bad:$PATH
env RBL=
== half lines of it are none
S: 220 *
END
	accepted
} >"$work/half.txt"
rbl <"$work/half.txt"

# Neither in the PATH nor beside smtpd's own file.
mkdir "$work/alone" "$work/tools"
cp "$bin/smtpd" "$work/alone/smtpd"
for tool in sh env perl; do ln -s "$(command -v $tool)" "$work/tools/$tool"; done
cat >"$work/absent.txt" <<END
== it is not there
env PATH=$work/tools
env RBL=
S: 220 *
C: MAIL FROM:<a@client.example>
S: 451 unable to ask the DNS lists (#4.3.0)
LOG: qmail-smtpd[*]: unable to run rblcheck: file does not exist
END
dialogues "$work/absent.txt" -- "$work/alone/smtpd"
done_testing
