#!/bin/sh
# The example chains: each of them takes a message to where it says, as a script of
# the shell's and by queue-chain, behind smtpd. The scanners are stubs; the servers
# are smtp-sink.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from daemons.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
. "$tests/daemons.sh"
unset ERROR_FD TMPDIR FILTER_TIMEOUT FILTER_FAIL FILTER_MAXSIZE FILTER_QUARANTINE QUEUE_SMTP QUEUE_LMTP
export CONTROLDIR="$work/control"
home=$work/home
mkdir -p "$work/control" "$home/chains" "$home/filters" "$home/control" "$work/mail"
mkdir "$home/bin"
# Programs, not links, and not in the PATH: each stage finds the next one beside it.
for program in "$bin"/*; do cp "$program" "$home/bin/"; done
PATH=$(echo "$PATH" | sed "s|^$bin:||")
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
echo .scr >"$work/control/ssattach"
"$bin/queue-check" "$work/queue" >"$work/check" 2>&1 || cat "$work/check"
export QUEUEDIR="$work/queue"

for kind in clamd spamd rspamd; do
	start_server "$work/$kind.log" scanner-stub $kind
	name=$(echo $kind | tr a-z A-Z)_SOCKET
	export "$name=127.0.0.1:$port"
done
if command -v smtp-sink >/dev/null; then
	start_smtp_sink -L
	lmtp_port=$smtp_sink_port lmtp_mail=$smtp_sink_mail
	start_smtp_sink
fi

# What is only a name in the examples.
put() {
	cat >"$1"
	chmod 755 "$1"
}
put "$home/filters/add-tag" <<'END'
#!/bin/sh
echo 'X-Tag: tagged'
exec cat
END
put "$home/filters/deny-sender" <<'END'
#!/bin/sh
[ "$QMAILHOST" != "$1" ] || exit 31
END
put "$home/bin/simscan" <<END
#!/bin/sh
{ echo 'Received: (simscan)'; cat; } >"$work/simscan.message"
exec "$home/bin/qmail-queue" <"$work/simscan.message"
END
put "$home/bin/qmail-dk" <<END
#!/bin/sh
{ echo 'DomainKey-Status: no signature'; cat; } >"$work/dk.message"
exec "\$DKQUEUE" <"$work/dk.message"
END
put "$work/sendmail" <<END
#!/bin/sh
echo "\$*" >"$work/sendmail.arguments"
exec cat >"$work/sendmail.message"
END
maildirs archive A
echo "r@example.org:$work/A" | "$bin/queue-maildir" -c "$work/control/maildirs.cdb"

# The examples, with our paths in them.
for file in "$top"/scripts/chains/*; do
	sed -e "s|/var/qmail|$home|g" -e "s|/var/mail/archive|$work/archive|" \
		-e "s|/usr/sbin/sendmail|$work/sendmail|" \
		-e "s|/run/dovecot/lmtp|127.0.0.1:${lmtp_port-1}|" \
		-e "s|127.0.0.1:10025|127.0.0.1:${smtp_sink_port-1}|" \
		-e "s|-T verify -a [^ ]*|-T none|; s|smtp.example.net:587|127.0.0.1:${smtp_sink_port-1}|" \
		"$file" >"$home/chains/${file##*/}"
	chmod 755 "$home/chains/${file##*/}"
	rm -f "$work/by-chain.${file##*/}"
	sed "1s|.*|#!$home/bin/queue-chain|" "$home/chains/${file##*/}" \
		>"$work/by-chain.${file##*/}"
	chmod 755 "$work/by-chain.${file##*/}"
	# For who reads it: when it is for, in a comment, and few lines.
	like "$(sed -n 2p "$file")" '^# ' "${file##*/}: it says when"
	is "$(sed -n '2,$p' "$file" | grep -vc '^#')" \
		"$(sed -n '2,$p' "$file" | grep -v '^#' | head -n 6 | wc -l)" "${file##*/}: a few lines"
done

# session CHAIN SUBJECT SENDER: through smtpd; the last reply but one is in $reply
session() {
	printf '%s\r\n' 'HELO client' "MAIL FROM:<$3>" 'RCPT TO:<r@example.org>' \
		DATA 'From: <s@client.example>' "Subject: $2" '' "text of $1" . QUIT >"$work/said"
	env TCPREMOTEIP=192.0.2.7 QMAILQUEUE="$1" \
		perl -MPOSIX -e 'POSIX::close($_) for 3 .. 255; exec @ARGV' \
		"$bin/qmail-smtpd" <"$work/said" >"$work/replies" 2>"$work/log"
	reply=$(tail -n 2 "$work/replies" | head -n 1 | tr -d '\r')
}
# kept: all messages that are anywhere, without their names
kept() {
	find "$work/queue/mess" "$work/A/new" "$work/archive/new" -type f -exec cat {} + 2>/dev/null
	cat "$work/sendmail.message" 2>/dev/null
	[ -z "${smtp_sink_mail-}" ] || cat "$smtp_sink_mail"/* "$lmtp_mail"/* 2>/dev/null
}
forget() {
	find "$work/queue/mess" "$work/queue/todo" "$work/queue/intd" "$work/A/new" \
		"$work/archive/new" -type f -exec rm {} +
	rm -f "$work/sendmail.message"
	[ -z "${smtp_sink_mail-}" ] || rm -f "$smtp_sink_mail"/* "$lmtp_mail"/*
}
in_queue() {
	find "$work/queue/todo" -type f | wc -l
}
needs_sink() {
	case $1 in lmtp | smarthost | before-queue) is_here smtp-sink "$1" ;; esac
}

# takes NAME WHERE REGULAR-EXPRESSION: a message, and what is found of it there
takes() {
	for chain in "$home/chains/$1" "$work/by-chain.$1"; do
		forget
		session "$chain" hello s@client.example
		like "$reply" '^250 ok ' "${chain##*/}: taken"
		case $2 in
		queue) is "$(in_queue)" 1 "${chain##*/}: in the queue" ;;
		nowhere) is "$(kept | wc -c)" 0 "${chain##*/}: nowhere" ;;
		*) wait_until grep -rq "text of" "$2" || waited_in_vain "the mail in $2" ;;
		esac
		[ "$2" = nowhere ] || like "$(kept)" "$3" "${chain##*/}: what has been done to it"
	done
}
# refuses NAME SUBJECT TEXT [SENDER]
refuses() {
	forget
	session "$home/chains/$1" "$2" "${4:-s@client.example}"
	like "$reply" "$3" "$1: refuses"
	is "$(kept | grep -c 'text of')" 0 "$1: and has kept nothing"
}

tried=
for name in queue maildir attachments clamd clamd-spamd rspamd old-filters simscan qmail-dk \
	archive sendmail discard lmtp smarthost before-queue; do
	tried="$tried $name"
	needs_sink "$name" || continue
	case $name in
	queue) takes queue queue '^text of' ;;
	maildir) takes maildir "$work/A/new" '^Delivered-To: r@example.org$' ;;
	attachments) takes attachments queue '^text of' ;;
	clamd)
		takes clamd queue '^text of'
		refuses clamd 'not now' '^554 .*contains the Test.Virus virus' ;;
	clamd-spamd)
		takes clamd-spamd queue '^X-Spam-Status: No'
		refuses clamd-spamd 'not now' '^554 .*virus' ;;
	rspamd)
		takes rspamd queue '^text of'
		refuses rspamd 'not now' '^554 ' ;;
	old-filters)
		takes old-filters queue '^X-Tag: tagged$'
		refuses old-filters hello '^554 mail server permanently' x@example.com
		refuses old-filters 'not now' '^554 .*virus' ;;
	simscan)
		takes simscan queue '^Received: .simscan.$'
		refuses simscan 'not now' '^554 ' ;;
	qmail-dk)
		takes qmail-dk queue '^DomainKey-Status:'
		refuses qmail-dk 'not now' '^554 .*virus' ;;
	archive)
		takes archive queue '^Delivered-To: archive@example.org$'
		mv "$work/archive" "$work/away"
		forget 2>/dev/null
		session "$home/chains/archive" hello s@client.example
		like "$reply" '^451 ' 'archive: without it nothing is taken'
		is "$(in_queue)" 0 'archive: nor kept'
		mv "$work/away" "$work/archive" ;;
	sendmail)
		takes sendmail "$work/sendmail.message" '^text of'
		is "$(cat "$work/sendmail.arguments")" '-i -f s@client.example -- r@example.org' 'sendmail: its words'
		refuses sendmail 'not now' '^554 .*virus' ;;
	discard)
		takes discard nowhere
		refuses discard 'not now' '^554 .*virus' ;;
	lmtp) takes lmtp "$lmtp_mail" '^text of' ;;
	smarthost) takes smarthost "$smtp_sink_mail" '^text of' ;;
	before-queue)
		takes before-queue "$smtp_sink_mail" '^X-Spam-Status: No'
		refuses before-queue 'not now' '^554 .*virus' ;;
	esac
done
is "$(printf '%s\n' $tried | sort | tr '\n' ' ')" \
	"$(cd "$top/scripts/chains" && ls | tr '\n' ' ')" 'all of them have been tried'

# One process from the reply to the queue.
session "$home/chains/clamd-spamd" hello s@client.example
qp=$(echo "$reply" | sed 's/.* qp //')
is "$(sed -n 's/^filter-[a-z]*:.*:\([0-9]*\)$/\1/p' "$work/log" | sort -u)" "$qp" \
	'clamd-spamd: every stage logs the qp of the reply'
like "$(kept)" "^Received: .qmail $qp invoked " 'clamd-spamd: and the queue, too'

# Another server in front, which knows no texts: Debian's mailfront.
for name in queue clamd-spamd rspamd old-filters archive sendmail; do
	is_here mailfront "$name behind mailfront" || break
	for subject in hello 'not now'; do
		forget
		printf '%s\r\n' 'HELO client' 'MAIL FROM:<s@client.example>' \
			'RCPT TO:<r@example.org>' DATA "Subject: $subject" '' "text of $name" . QUIT |
			env PROTO=TCP TCPREMOTEIP=192.0.2.7 QMAILHOME="$work" \
				QMAILQUEUE="$home/chains/$name" mailfront smtp qmail accept \
				>"$work/replies" 2>"$work/log"
		reply=$(tail -n 2 "$work/replies" | head -n 1 | tr -d '\r')
		case $name/$subject in
		queue/not* | archive/not* | */hello)
			like "$reply" '^250 .* qp [0-9]+' "$name behind mailfront: taken"
			like "$(kept)" '^text of' "$name behind mailfront: it is there" ;;
		*)
			like "$reply" '^554 5.3.0 ' "$name behind mailfront: refused"
			unlike "$(kept)" '^text of' "$name behind mailfront: and not kept" ;;
		esac
	done
done

done_testing
