#!/bin/sh
# tests/daemons.sh: the scanners and servers that other tests are given answer
# as those expect, can be hung and killed, and are gone at the end.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemons.sh"

# from_daemon ADDRESS: standard input goes there; all that comes back
from_daemon() {
	perl -MIO::Socket::UNIX -MIO::Socket::INET -e '
		my $to = shift;
		my $socket = $to =~ m{^/} ? IO::Socket::UNIX->new(Peer => $to)
			: IO::Socket::INET->new("127.0.0.1:$to");
		$socket or die "$to: $!\n";
		print $socket <STDIN>;
		$socket->flush;
		$SIG{ALRM} = sub { exit };
		alarm shift;
		print <$socket>' "$1" "${2:-20}"
}
# is_unusable NAME ADDRESS QUESTION: hung it says nothing, but takes the
# connection; killed there is none
is_unusable() {
	pid=
	eval "pid=\$$1"
	members=$(family "$pid")
	hang "$pid"
	is "$(printf '%b' "$3" | from_daemon "$2" 1)" '' "$1 hangs"
	resume "$pid"
	wait_until eval "printf '%b' '$3' | from_daemon '$2' | grep -q ." ||
		waited_in_vain "$1 to go on"
	ok 'and goes on'
	kill_all "$pid"
	is "$(printf '%b' "$3" | from_daemon "$2" 1 2>/dev/null)" '' 'and is killed'
	if wait_until all_gone "$members"; then ok 'with all its children'
	else not_ok 'with all its children' "$(ps -f -p "$members")"; fi
}
# all_gone PIDS: none of them runs; whose parent has been killed may be a zombie
all_gone() {
	! ps -o stat= -p "$(echo "$1" | paste -sd,)" | grep -qv '^Z'
}

start_clamd
clamd_scan() {
	eicar >"$work/eicar"
	case $1 in
	plain) cat "$work/eicar" ;;
	base64)
		printf 'Received: x\nContent-Type: application/x-virus\n'
		printf 'Content-Transfer-Encoding: base64\n\n'
		base64 "$work/eicar"
		;;
	clean) echo clean ;;
	esac >"$work/message"
	{
		printf 'nINSTREAM\n'
		perl -e 'print pack "N", -s shift' "$work/message"
		cat "$work/message"
		printf '\0\0\0\0'
	} | from_daemon "$2"
}
is "$(clamd_scan clean "$clamd_socket")" 'stream: OK' 'clamd: clean'
for form in plain base64; do
	is "$(clamd_scan $form "$clamd_port")" \
		'stream: Local.Eicar.UNOFFICIAL FOUND' "clamd: EICAR, $form"
done
is_unusable clamd "$clamd_socket" 'nPING\n'

start_spamd 'rewrite_header Subject [SPAM]'
spamd_check() {
	printf 'Subject: %s\n\n%s\n' "$1" "$2" >"$work/message"
	{
		printf 'HEADERS SPAMC/1.5\r\nContent-length: %s\r\n\r\n' \
			"$(wc -c <"$work/message")"
		cat "$work/message"
	} | from_daemon "$3" | grep -E '^(Spam|Subject): '| tr -d '\r' | paste -sd' '
}
is "$(spamd_check hello text "$spamd_socket")" \
	'Spam: False ; 0.0 / 5.0 Subject: hello' 'spamd: no score'
is "$(spamd_check 'a score 7' text "$spamd_port")" \
	'Spam: True ; 7.0 / 5.0 Subject: [SPAM] a score 7' 'spamd: a score'
is "$(spamd_check hello "$(gtube)" "$spamd_socket")" \
	'Spam: True ; 1000.0 / 5.0 Subject: [SPAM] hello' 'spamd: GTUBE'
is_unusable spamd "$spamd_socket" 'PING SPAMC/1.5\r\n\r\n'

start_rspamd
rspamd_check() {
	printf 'Subject: %s\n\n%s\n' "$1" "$2" >"$work/message"
	{
		printf 'POST /checkv2 HTTP/1.0\r\nContent-Length: %s\r\n\r\n' \
			"$(wc -c <"$work/message")"
		cat "$work/message"
	} | from_daemon "$3"
}
like "$(rspamd_check hello text "$rspamd_socket")" '"action":"no action"' \
	'rspamd: no action'
for case in 'soft:soft reject' 'grey:greylist' 'rejected:reject' \
	'score 7:add header' 'score 20:reject' 'rewritten:rewrite subject'; do
	like "$(rspamd_check "${case%%:*}" text "$rspamd_port")" \
		"\"action\":\"${case#*:}\"" "rspamd: ${case#*:}"
done
like "$(rspamd_check rewritten text "$rspamd_socket")" \
	'"subject":"\[SPAM\] rewritten"' 'with a subject'
like "$(rspamd_check headers text "$rspamd_socket")" \
	'"milter":.*"X-Many":\[' 'rspamd: header fields'
like "$(rspamd_check hello "$(gtube)" "$rspamd_socket")" '"action":"reject"' \
	'rspamd: GTUBE'
is_unusable rspamd "$rspamd_socket" 'GET /ping HTTP/1.0\r\n\r\n'

start_smtp_sink
smtp_mail() {
	# shellcheck disable=SC2059 # the recipients are a part of the format
	{
		printf "${3}MAIL FROM:<a@client.example>\r\n$2DATA\r\n"
		printf 'Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n'
	} | from_daemon "$1" | tr -d '\r'
}
like "$(smtp_mail "$smtp_sink_port" 'RCPT TO:<user@example.org>\r\n' \
	'HELO client.example\r\n')" '^250 2.0.0 Ok' 'smtp-sink takes a message'
like "$(cat "$smtp_sink_mail"/*)" '^X-Rcpt-Args: <user@example.org>' \
	'and keeps it'
is_unusable smtp_sink "$smtp_sink_port" 'QUIT\r\n'

start_dovecot
lmtp() {
	smtp_mail "$1" "$2" 'LHLO client.example\r\n'
}
to_user='RCPT TO:<user@example.org>\r\n'
to_other='RCPT TO:<other@example.org>\r\n'
like "$(lmtp "$dovecot_socket" "$to_user")" \
	'^250 2.0.0 <user@example.org> [^ ]* Saved' 'dovecot: known'
is "$(grep -l '^Subject: x' "$dovecot_mail/user/new"/* | wc -l)" 1 'delivered'
like "$(lmtp "$dovecot_port" 'RCPT TO:<no@example.org>\r\n')" '^550 5.1.1' \
	'dovecot: unknown'
is "$(lmtp "$dovecot_socket" "$to_user$to_other" | grep -c Saved)" 2 \
	'dovecot: two recipients'
like "$(lmtp "$dovecot_socket" 'RCPT TO:<full@example.org>\r\n')" \
	'^552 5.2.2 <full@example.org> ' 'dovecot: over quota'
is_unusable dovecot "$dovecot_socket" 'QUIT\r\n'

done_testing
