#!/bin/sh
# smtpd and the sender's domain: MFCHECK and RETURNMXCHECK, with every answer that
# DNS may give, and with a mxcheck that gives none.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml
cat >"$work/zone" <<'END'
zonedata:
  mx.test: [{ MX: [10, mail.mx.test] }]
  a.test: [{ A: 192.0.2.1 }]
  aaaa.test: [{ AAAA: "2001:db8::1" }]
  null.test: [{ MX: [0, ""] }, { A: 192.0.2.1 }]
  txt.test: [{ TXT: nothing }]
  fails.test: [SERVFAIL]
  slow.test: [{ MX: [10, mail.mx.test] }, { SPF: "v=spf1 -all" }, DELAY]
END
start_server "$work/dns-log" spf-suite -s "$work/zone" "$work/questions"
export DNSCACHEIP="127.0.0.1:$port"
# mf: the dialogues of standard input
mf() {
	cat >"$work/mf.txt"
	dialogues -e "DNSCACHEIP=$DNSCACHEIP" "$work/mf.txt"
}
# asks SENDER REPLY: a case about MAIL
asks() {
	cat <<END

== $1 with $setting
env $setting
S: 220 *
C: MAIL FROM:<$1>
S: $2
C: RCPT TO:<u@example.org>
S: $(case $2 in 250*) echo 250 ok ;; *) echo '503 MAIL first (#5.5.1)' ;; esac)
END
}
no_domain='553 sorry, your envelope sender domain must exist (#5.7.1)'
no_mx='554 refused mailfrom because return MX does not exist'
{
	for setting in MFCHECK=0 MFCHECK= MFCHECK=1 MFCHECK=2 \
		RETURNMXCHECK= MFDNSCHECK=; do
		case $setting in
		MFCHECK=[1-9])
			refused=$no_domain
			deferred='451 DNS temporary failure (#4.3.0)'
			;;
		RETURNMXCHECK= | MFDNSCHECK=)
			refused=$no_mx
			deferred='421 DNS temporary failure at return MX check, try again later (#4.3.0)'
			;;
		*)
			refused='250 ok'
			deferred='250 ok'
			;;
		esac
		for sender in u@mx.test u@a.test u@aaaa.test 'u@[192.0.2.1]' \
			'u@[IPv6:2001:db8::1]' '' '#@[]' '"a@b"@MX.Test'; do
			asks "$sender" '250 ok'
		done
		for sender in u@nx.test u@txt.test u@null.test u@ u nobody@a..b \
			'u@[192.0.2.256]' u@-t u@--; do
			asks "$sender" "$refused"
		done
		asks u@fails.test "$deferred"
	done
} >"$work/table"
mf <"$work/table"

mf <<'END'
env MFCHECK=1
== the session goes on behind a failure
env MFCHECK=0
env RETURNMXCHECK=
S: 220 *
C: MAIL FROM:<u@fails.test>
S: 421 DNS temporary failure at return MX check, try again later (#4.3.0)
C: MAIL FROM:<u@nx.test>
S: 554 refused mailfrom because return MX does not exist
C: MAIL FROM:<u@mx.test>
S: 250 ok
C: QUIT
S: 221 *

== MFCHECK's words, where both ask
env RETURNMXCHECK=
S: 220 *
C: MAIL FROM:<u@fails.test>
S: 451 DNS temporary failure (#4.3.0)
C: MAIL FROM:<u@nx.test>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)

== control/mfcheck
env MFCHECK
control mfcheck 1
S: 220 *
C: MAIL FROM:<u@nx.test>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)

== the variable wins
env MFCHECK=0
control mfcheck 1
S: 220 *
C: MAIL FROM:<u@nx.test>
S: 250 ok

== RELAYCLIENT does not spare it
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<u@nx.test>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)

== 2 logs failures
env MFCHECK=2
S: 220 *
C: MAIL FROM:<u@nx.test>
S: 553 *
C: MAIL FROM:<u@fails.test>
S: 451 *
C: MAIL FROM:<a b>
S: 553 *
LOG: qmail-smtpd[*]: MFCHECK fail [192.0.2.7] nx.test
LOG: qmail-smtpd[*]: MFCHECK temporary [192.0.2.7] fails.test
LOG: qmail-smtpd[*]: MFCHECK invalid [192.0.2.7] a b

== 3 logs passes, too
env MFCHECK=3
S: 220 *
C: MAIL FROM:<u@mx.test>
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<u@nx.test>
S: 553 *
LOG: qmail-smtpd[*]: MFCHECK pass [192.0.2.7] mx.test
LOG: qmail-smtpd[*]: MFCHECK fail [192.0.2.7] nx.test
END

# logs LEVEL: the log's lines for a sender of each kind
logs() {
	mkdir -p "$work/control"
	echo mx.example.org >"$work/control/me"
	printf '%s\r\n' 'MAIL FROM:<u@nx.test>' 'MAIL FROM:<u@fails.test>' \
		'MAIL FROM:<u>' 'MAIL FROM:<u@mx.test>' QUIT |
		CONTROLDIR=$work/control MFCHECK=$1 TCPREMOTEIP=192.0.2.7 smtpd \
			2>&1 >/dev/null | grep -a MFCHECK |
		sed 's/^qmail-smtpd\[[0-9]*\]: MFCHECK //'
}
is "$(logs 1)" '' '1 logs nothing'
is "$(logs 2)" 'fail [192.0.2.7] nx.test
temporary [192.0.2.7] fails.test
invalid [192.0.2.7] u' '2 no pass'
is "$(logs 3)" 'fail [192.0.2.7] nx.test
temporary [192.0.2.7] fails.test
invalid [192.0.2.7] u
pass [192.0.2.7] mx.test' '3 all'

# Whoever is not to be asked about costs no question, nor a program.
: >"$work/questions"
mkdir "$work/bad"
printf '#!/bin/sh\nexit 99\n' >"$work/bad/mxcheck"
chmod 755 "$work/bad/mxcheck"
mf <<END
env MFCHECK=3
env PATH=$work/bad:$PATH
== senders that are not asked about
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<#@[]>
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<u>
S: 553 *
END
is "$(cat "$work/questions")" '' 'cost no question'

# --- with SPF: both at the same time
mf <<'END'
== both refuse: the domain first
env MFCHECK=1
env SPFBEHAVIOR=2
S: 220 *
C: MAIL FROM:<u@fails.test>
S: 451 DNS temporary failure (#4.3.0)

== only SPF does
env MFCHECK=0
env SPFBEHAVIOR=2
S: 220 *
C: MAIL FROM:<u@fails.test>
S: 451 SPF lookup failure (#4.3.0)
END
: >"$work/questions"
mf <<'END'
== one that is far away
env MFCHECK=1
env SPFBEHAVIOR=3
S: 220 *
C: MAIL FROM:<u@slow.test>
S: 250 ok
END
is "$(sed '/^answer/,$d' "$work/questions" | grep -E ' (MX|TXT) ' | sort)" \
	'udp MX slow.test
udp TXT slow.test' 'both have asked before either has an answer'

# --- SMTP_ENHANCED: RFC 7505 section 4.2 has a code of its own
printf '%s\r\n' 'MAIL FROM:<u@null.test>' 'MAIL FROM:<u@nx.test>' QUIT |
	CONTROLDIR=$work/control MFCHECK=1 SMTP_ENHANCED=1 smtpd >"$work/enhanced" \
		2>/dev/null
like "$(cat "$work/enhanced")" '^550 .*5\.7\.27' 'a null MX, with SMTP_ENHANCED'
like "$(cat "$work/enhanced")" '^553 .*5\.7\.1' 'and no domain'

# A checkpassword program that knows everybody.
printf '#!/bin/sh\ncat <&3 >/dev/null\nexec "$@"\n' >"$work/checker"
chmod 755 "$work/checker"
cat >"$work/login.txt" <<'END'
env ALLOW_INSECURE_AUTH=1
== a login: the setting that is for logins
env MFCHECK=1
env AUTH_SET_MFCHECK=0
S: 220 *
C: MAIL FROM:<u@nx.test>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)
C: AUTH PLAIN AGEAYg==
S: 235 *
C: MAIL FROM:<u@nx.test>
S: 250 ok

== the other way round
env MFCHECK=0
env AUTH_SET_MFCHECK=2
S: 220 *
C: MAIL FROM:<u@nx.test>
S: 250 ok
C: RSET
S: 250 flushed
C: AUTH PLAIN AGEAYg==
S: 235 *
C: MAIL FROM:<u@nx.test>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)
LOG: qmail-smtpd[*]: MFCHECK fail [192.0.2.7] nx.test
END
dialogues -e "DNSCACHEIP=$DNSCACHEIP" "$work/login.txt" -- \
	smtpd host "$work/checker" true

# --- a mxcheck that fails
# bad WHAT SCRIPT LOG
bad() {
	printf '#!/bin/sh\n%s\n' "$2" >"$work/bad/mxcheck"
	chmod 755 "$work/bad/mxcheck"
	mf <<END
env PATH=$work/bad:$PATH
env SMTPD_HELPER_TIMEOUT=1
== $1: MFCHECK
env MFCHECK=1
S: 220 *
C: MAIL FROM:<u@mx.test>
S: 451 DNS temporary failure (#4.3.0)
LOG: qmail-smtpd[*]: $3

== $1: RETURNMXCHECK
env RETURNMXCHECK=
S: 220 *
C: MAIL FROM:<u@mx.test>
S: 421 DNS temporary failure at return MX check, *
LOG: qmail-smtpd[*]: $3
END
}
# shellcheck disable=SC2016 # of the script
bad 'it crashes' 'kill -SEGV $$' 'mxcheck: crashed'
bad 'it hangs' 'exec sleep 60' 'mxcheck: killed, too late'
bad 'it says nothing' 'exit 0' 'mxcheck: exit 0, and no answer'
bad 'it is another program' 'echo ok; exit 1' 'mxcheck: exit 1, and no answer'
bad 'it dies' 'exit 111' 'mxcheck: exit 111, and no answer'
bad 'it talks on' 'yes ok | head -n 100000' 'mxcheck: exit 0, and no answer'

# Neither in the PATH nor beside smtpd's own file.
mkdir "$work/alone" "$work/tools"
cp "$bin/smtpd" "$work/alone/smtpd"
for tool in sh env perl; do ln -s "$(command -v $tool)" "$work/tools/$tool"; done
cat >"$work/absent.txt" <<END
== it is not there
env PATH=$work/tools
env MFCHECK=1
S: 220 *
C: MAIL FROM:<u@mx.test>
S: 451 DNS temporary failure (#4.3.0)
LOG: qmail-smtpd[*]: unable to run mxcheck: file does not exist
END
dialogues "$work/absent.txt" -- "$work/alone/smtpd"
done_testing
