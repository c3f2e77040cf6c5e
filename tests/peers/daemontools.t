#!/bin/sh
# Under Debian's daemontools, in a scratch folder: the run script of the guides
# as it stands there, but for the port, with multilog behind it. Only root can
# ask for -u and -g: an ordinary user has tcpserver refuse them, Debian's too.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain.sh"
need svscan supervise svc svstat svok multilog softlimit curl
[ -z "${SANITIZE:-}" ] || {
	echo '1..0 # SKIP a sanitizer needs more memory than softlimit leaves'
	exit 0
}

# Whoever runs the test: root's service becomes nobody, which may be kept out of
# the folder where the programs were built.
mkdir "$work/bin"
for program in tcpserver qmail-smtpd queue-maildir tcprules; do
	cp "$bin/$program" "$work/bin/" || exit
done
bin=$work/bin
PATH=$bin:$PATH
prepare_chain
uid=$(id -u) gid=$(id -g)
become=
if [ "$uid" -eq 0 ]; then
	uid=$(id -u nobody) gid=$(id -g nobody)
	become="-u $uid -g $gid"
	chmod 755 "$work"
	chmod 777 "$work/Maildir" "$work/Maildir"/*
fi

# 3 MB are not enough for the system's shared libraries.
limit=3000000
if is_dynamic "$bin/qmail-smtpd"; then limit=30000000; fi

port=$(free_port)
mkdir -p "$work/service/smtpd/log"
cd "$work/service/smtpd" || exit
echo '127.:allow,RELAYCLIENT=""' | tcprules smtp.cdb smtp.tmp
cat >run <<END
#!/bin/sh
LOCAL=\`head -1 "\$CONTROLDIR/me"\`
exec softlimit -m $limit tcpserver -v -R -l "\$LOCAL" -x smtp.cdb -c 20 \\
	$become 0 $port qmail-smtpd 2>&1
END
printf '#!/bin/sh\nexec multilog t s100000 n20 ./main\n' >log/run
chmod 755 run log/run
log=$PWD/log/main/current

svscan "$work/service" >"$work/svscan.log" 2>&1 &
svscan=$!
# supervise and multilog outlive svscan: they are told first.
end_service() {
	svc -dx "$work/service/smtpd" "$work/service/smtpd/log"
	kill "$svscan" 2>/dev/null
	wait "$svscan" 2>/dev/null
	wait_until sh -c '! svok "$1" && ! svok "$1/log"' - \
		"$work/service/smtpd"
}
trap 'end_service; finish' EXIT
wait_for_line "$log" 'tcpserver: status: 0/20$' || {
	not_ok 'it starts' "$(tail -n 5 "$work/svscan.log" "$log")"
	done_testing
}
like "$(svstat "$work/service/smtpd")" ': up \(pid [0-9]+\)' 'supervise has it up'

hard_message "$work/hard"
send() {
	curl -sS "smtp://127.0.0.1:$port/client.example" --crlf \
		-T "$work/hard" --mail-from a@client.example \
		--mail-rcpt "$1" >"$work/curl.out" 2>&1
}
send one@elsewhere.example
is "$?$(cat "$work/curl.out")" 0 'curl sends a message'
arrived one@elsewhere.example "$work/hard" 'it arrives byte for byte'
wait_for_line "$log" '^@[0-9a-f]{24} tcpserver: end [0-9]+ status 0$'
is $? 0 'multilog has the lines of tcpserver'
like "$(cat "$log")" \
	"tcpserver: ok [0-9]+ mx\.example\.org:127\.0\.0\.1:$port :127\.0\.0\.1::[0-9]+" \
	'with the connection'
owner=$(ls -n "$(delivered one@elsewhere.example)" | awk '{ print $3 ":" $4 }')
is "$owner" "$uid:$gid" 'delivered as the user and group of -u and -g'

before=$(svstat "$work/service/smtpd" | sed 's/.*(pid \([0-9]*\)).*/\1/')
svc -t "$work/service/smtpd"
started_again() {
	[ "$(grep -c 'tcpserver: status: 0/20$' "$log")" -ge 3 ] &&
		! svstat "$work/service/smtpd" | grep -q "pid $before)"
}
wait_until started_again
is $? 0 'svc -t: it ends, and supervise starts it again'
send two@example.org
is "$?$(cat "$work/curl.out")" 0 'which takes mail again'
arrived two@example.org "$work/hard" 'and delivers it'

end_service
trap finish EXIT
if svok "$work/service/smtpd"; then
	not_ok 'svc -dx ends it'
else
	ok 'svc -dx ends it'
fi
is "$(curl -sS --max-time 5 "smtp://127.0.0.1:$port" 2>&1 |
	grep -c -i 'refused\|connect')" 1 'nobody listens any more'

cd "$top" || exit
done_testing
