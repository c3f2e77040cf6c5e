#!/bin/sh
# auth-cdb with others: the digests of its entries are what Dovecot makes of the
# password, GNU SASL's client proves itself by SCRAM, and Dovecot's server asks it
# as its checkpassword program. Dovecot is asked where it is installed: a test
# must not put a mail server on the machine.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb perl

AUTH_CDB=$work/auth.cdb
export AUTH_CDB
# made KIND: an entry for the password "a secret"
made() {
	echo 'a secret' | auth-cdb -m "$1"
}
make_table() {
	{ cat; echo; } >"$work/lines"
	cdb -c -m "$AUTH_CDB" "$work/lines"
}

# GNU SASL's client, which speaks base64 with whoever types; here with a socket.
# A server that gives up closes it.
cat >"$work/sasl" <<'END'
use strict;
use warnings;
use IPC::Open2;
use MIME::Base64;
use POSIX qw(dup2);
use Socket;

my ($login, $password) = @ARGV;
socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0 or die "socketpair: $!";
$SIG{PIPE} = 'IGNORE';
$^F = 3;
my $server = fork // die "fork: $!";
if (!$server) {
	dup2(fileno $theirs, 3) or die "dup2: $!";
	exec 'auth-cdb', '-p', '-s' or die "exec: $!";
}
close $theirs;
my $client = open2(my $from, my $to, 'gsasl', '--client', '--mechanism=SCRAM-SHA-256',
	'--no-cb', '--authentication-id', $login, '--password', $password);
TALK: while (my $line = <$from>) {
	next unless $line =~ m{^[A-Za-z0-9+/]+=*$} && $line !~ /^SCRAM/;
	syswrite $ours, decode_base64($line) . "\0";
	my $answer = '';
	do {
		sysread $ours, my $byte, 1 or last TALK;
		$answer .= $byte;
	} until $answer =~ /\0/;
	chop $answer;
	syswrite $to, encode_base64($answer, '') . "\n";
	last if $answer =~ /^v=/;
}
syswrite $to, "\n"; # nothing else comes
close $to;
waitpid $client, 0;
my $trust = $? ? 'no trust' : 'trust';
waitpid $server, 0;
print ' ', $? >> 8, " $trust\n";
END
if is_here gsasl "GNU SASL"; then
	# `trust`: the server has proved itself, too.
	make_table <<END
joe $(made scram-sha-256)
a,b=c $(made scram-sha-256)
END
	# sasl LOGIN PASSWORD
	sasl() {
		timeout 60 perl "$work/sasl" "$@" 2>"$work/log" | tr '\0' '|'
	}
	is "$(sasl joe 'a secret')" 'SMTP_AUTH_USER=joe| 0 trust' "GNU SASL's client proves itself"
	is "$(sasl a,b=c 'a secret')" 'SMTP_AUTH_USER=a,b=c| 0 trust' 'a name with commas'
	is "$(sasl joe 'another')" 'bad password| 1 no trust' 'but not with another password'
	is "$(sasl ann 'a secret')" 'unknown user| 1 no trust' 'nor with another name'
	# gsasl's own entry, which has other marks between the same pieces.
	entry=$(gsasl --mkpasswd --mechanism=SCRAM-SHA-256 --iteration-count=5000 \
		--password='a secret' | sed 's/^{\(.*\)}\(.*\),\(.*\),\(.*\),\(.*\)$/\1$\2:\3$\4:\5/')
	echo "joe $entry" | make_table
	is "$(sasl joe 'a secret')" 'SMTP_AUTH_USER=joe| 0 trust' 'an entry that it has made'
fi

dovecot=$(PATH=$PATH:/usr/sbin command -v dovecot)
if [ ! "$dovecot" ] || ! command -v doveadm >/dev/null; then
	skip 'dovecot is not here' "Dovecot"
	done_testing
	exit
fi

# verified ENTRY: what Dovecot says of the password
verified() {
	doveadm -O pw -t "$1" -p 'a secret' 2>&1 | sed 's/^.*(verified)$/verified/'
}
is "$(verified "$(made cram-md5)")" verified 'doveadm pw: CRAM-MD5'
is "$(verified "$(made scram-sha-256 |
	sed 's/^\(.*\)\$\(.*\):\(.*\)\$\(.*\):\(.*\)$/{\1}\2,\3,\4,\5/')")" verified \
	'doveadm pw: SCRAM-SHA-256'
for kind in sha512 bcrypt yescrypt; do
	is "$(verified "{CRYPT}$(made $kind)")" verified "doveadm pw: $kind"
done
make_table <<END
joe $(doveadm -O pw -s CRAM-MD5 -p 'a secret')
END
is "$(auth-client -m -c '<1@example>' -l joe -p 'a secret' auth-cdb -p | tr '\0' '|')" \
	'SMTP_AUTH_USER=joe|' 'an entry of doveadm pw'

# Dovecot's server: it gives descriptor 4 too, which the program writes to that
# it has auth-cdb run.
if is_root "Dovecot's server" && is_plain "Dovecot's server"; then
	chmod 755 "$work"
	cp "$bin/auth-cdb" "$work/auth-cdb"
	make_table <<END
joe@example.com $(made sha512)
END
	chmod 644 "$AUTH_CDB"
	cat >"$work/dovecot.conf" <<END
protocols =
listen = 127.0.0.1
base_dir = $work/run
state_dir = $work/state
log_path = $work/dovecot.log
ssl = no
auth_verbose = yes
auth_failure_delay = 0
import_environment = AUTH_CDB=$AUTH_CDB
passdb {
  driver = checkpassword
  args = $work/auth-cdb
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/
}
END
	"$dovecot" -c "$work/dovecot.conf" -F >"$work/dovecot.out" 2>&1 &
	server=$!
	started="$started $server"
	wait_for_line "$work/dovecot.log" 'starting up'
	# asked ADDRESS LOGIN PASSWORD: each address waits longer with each failure
	asked() {
		timeout 60 doveadm -c "$work/dovecot.conf" auth test \
			-x "rip=$1" "$2" "$3" 2>&1 | head -n 1
	}
	is "$(asked 127.0.0.1 joe@example.com 'a secret')" \
		'passdb: joe@example.com auth succeeded' "Dovecot's server"
	is "$(asked 127.0.0.2 joe@example.com wrong)" \
		'passdb: joe@example.com auth failed' 'another password'
	like "$(grep 'joe@' "$work/dovecot.log" | tail -n 1)" 'status=1\)' \
		'which Dovecot logs as such'
	mv "$AUTH_CDB" "$work/gone"
	is "$(asked 127.0.0.3 joe@example.com 'a secret')" \
		'passdb: joe@example.com auth failed' 'no table'
	like "$(grep 'joe@' "$work/dovecot.log" | tail -n 1)" 'status 111$' \
		'which Dovecot logs as a failure of ours'
	stop "$server"
fi

done_testing
