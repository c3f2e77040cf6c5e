# The real scanners and mail servers for tests, behind lib.sh: clamd, spamd,
# rspamd, Dovecot's LMTP, Postfix's smtp-sink. Each on sockets of its own, with
# what it keeps in $work/NAME, never the machine's; root or not. Nothing of them
# needs the network, a signature file or a DNS server.
#
# start_NAME sets $NAME_socket (a path), $NAME_port (on 127.0.0.1), $NAME_log and
# $NAME, the pid; it comes back when the daemon answers. A missing daemon skips the
# whole test (and fails it on CI), so start before the first case; or ask
# `is_here clamd 'name of the case'` first. `stop "$clamd"` ends one as
# `kill` would; hang, resume and kill_all are for worse.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the tests; from lib.sh

# They may be unpacked beside the tests (scripts/with-deps) and bring libraries.
# UNPACKED=yes takes these even where the machine has its own. What a program has
# compiled in of where its parts are, is then told it otherwise.
daemon_peers=$top/build/deps/peers
for daemon_peer in clamav-daemon spamd rspamd dovecot-core postfix; do
	daemon_path=$daemon_peers/$daemon_peer/usr/sbin
	daemon_path=$daemon_path:$daemon_peers/$daemon_peer/usr/bin
	if [ "${UNPACKED:-}" = yes ]; then PATH=$daemon_path:$PATH
	else PATH=$PATH:$daemon_path; fi
done

# unpacked PROGRAM PEER: the usr folder of the one that will be run, unless it is
# the machine's. By another name: that of the project may have blanks.
unpacked() {
	case $(command -v "$1") in
	"$daemon_peers"/*)
		ln -sfn "$daemon_peers/$2/usr" "$daemon_home/usr"
		echo "$daemon_home/usr"
		;;
	esac
}

# What filters look for. No file of ours holds either in one piece: scanners
# would take the project's own folder away.
eicar() {
	printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-' \
		'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
}
gtube() {
	printf '%s%s' 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-' \
		'ANTI-UBE-TEST-EMAIL*C.34X'
}

# family PID: it and all that descend from it, those who start others first
family() {
	family_next=$1
	while [ -n "$family_next" ]; do
		echo "$family_next"
		family_next=$(pgrep -d , -P "$family_next")
	done | tr ',' '\n'
}
# hang PID: it and its children stop where they are; the kernel still takes
# connections for them. resume PID. What begins in a family whose head has been
# stopped ends at the second round.
# shellcheck disable=SC2046 # a list of pids
hang() {
	kill -STOP $(family "$1") 2>/dev/null
	kill -STOP $(family "$1") 2>/dev/null
}
# shellcheck disable=SC2046
resume() {
	kill -CONT $(family "$1") 2>/dev/null
}
# kill_all PID: as a machine that runs out of memory does it, the children, too
kill_all() {
	hang "$1"
	# shellcheck disable=SC2046
	kill -KILL $(family "$1") 2>/dev/null
	wait "$1" 2>/dev/null
}

# start_daemon NAME IS_UP CONFIGURE COMMAND…: up to five times, with a free
# port in $daemon_port each time, since another may take it before the daemon
# does. CONFIGURE writes $daemon_home/conf; IS_UP succeeds when it answers.
# The pid is $daemon, and what it prints is in $daemon_log.
start_daemon() {
	daemon_name=$1
	daemon_is_up=$2
	daemon_configure=$3
	shift 3
	daemon_home=$work/$daemon_name
	daemon_socket=$daemon_home/socket
	daemon_log=$daemon_home/log
	# Some become another user, who has to reach the socket.
	chmod 711 "$work"
	mkdir -p "$daemon_home"
	chmod 711 "$daemon_home"
	for try in 1 2 3 4 5; do
		daemon_port=$(free_port)
		rm -rf "$daemon_socket"
		"$daemon_configure"
		: >"$daemon_log"
		"$@" >>"$daemon_log" 2>&1 &
		daemon=$!
		daemon_deadline=$(($(date +%s) + 30))
		wait_until daemon_is_known
		"$daemon_is_up" >/dev/null 2>&1 && {
			started="$started $daemon"
			return
		}
		kill_all "$daemon"
	done
	echo "Bail out! $daemon_name did not start, $try times: $(cat "$daemon_log")"
	exit 1
}
daemon_is_known() {
	"$daemon_is_up" || ! kill -0 "$daemon" ||
		[ "$(date +%s)" -ge "$daemon_deadline" ]
}
# ask ADDRESS TEXT: what comes back for TEXT, printf's, from "/path" or a port of
# 127.0.0.1; its first line. Not half-closed: rspamd would take that for the end of
# a client that has lost interest.
ask() {
	# shellcheck disable=SC2059 # the question is a format
	printf "$2" | perl -MIO::Socket::UNIX -MIO::Socket::INET -e '
		my $to = shift;
		my $socket = $to =~ m{^/} ? IO::Socket::UNIX->new(Peer => $to)
			: IO::Socket::INET->new("127.0.0.1:$to");
		$socket or die "$to: $!\n";
		print $socket <STDIN>;
		$socket->flush;
		$SIG{ALRM} = sub { exit };
		alarm 5;
		print scalar <$socket>' "$1"
}

# clamd with one signature, EICAR's, anywhere in what it is given: the virus
# Local.Eicar.UNOFFICIAL.
# start_clamd [LINE…]: LINEs for its clamd.conf
start_clamd() {
	need clamd pgrep perl
	clamd_lines=$(printf '%s\n' "$@")
	start_daemon clamd clamd_is_up configure_clamd run_clamd
	clamd=$daemon clamd_socket=$daemon_socket clamd_port=$daemon_port
	clamd_log=$daemon_log
}
run_clamd() {
	LD_LIBRARY_PATH=$daemon_peers/clamav-daemon/usr/lib/clamav-daemon \
		exec clamd -c "$daemon_home/conf"
}
clamd_is_up() {
	ask "$daemon_socket" 'nPING\n' | grep -qx PONG
}
configure_clamd() {
	mkdir -p "$daemon_home/signatures" "$daemon_home/tmp"
	printf 'Local.Eicar:0:*:%s\n' \
		"$(eicar | od -An -tx1 -v | tr -d ' \n')" \
		>"$daemon_home/signatures/local.ndb"
	cat >"$daemon_home/conf" <<-END
		Foreground yes
		LogTime yes
		LogFile $daemon_home/clamd.log
		LogClean yes
		DatabaseDirectory $daemon_home/signatures
		LocalSocket $daemon_socket
		LocalSocketMode 666
		FixStaleSocket yes
		TCPSocket $daemon_port
		TCPAddr 127.0.0.1
		TemporaryDirectory $daemon_home/tmp
		SelfCheck 0
		MaxThreads 4
		$clamd_lines
	END
}

# spamd with the package's GTUBE rule, which gives 1000, and one of ours: "score N"
# in the Subject gives N, of 3, 7 and 20. Nothing else has a score, so a message's
# is exact, and spamd starts in a fraction of a second.
# start_spamd [LINE…]: LINEs for its local.cf, rewrite_header Subject [SPAM] or so.
# spamd_rules=all takes all of the package's rules; scores are then its business.
start_spamd() {
	need spamd pgrep perl
	spamd_lines=$(printf '%s\n' "$@")
	start_daemon spamd spamd_is_up configure_spamd run_spamd
	spamd=$daemon spamd_socket=$daemon_socket spamd_port=$daemon_port
	spamd_log=$daemon_log
}
spamd_is_up() {
	ask "$daemon_socket" 'PING SPAMC/1.5\r\n\r\n' | grep -q PONG
}
# As root it becomes nobody before it reads a message.
run_spamd() {
	spamd_user=
	[ "$(id -u)" -ne 0 ] || spamd_user='-u nobody'
	# shellcheck disable=SC2046,SC2086 # options
	exec perl -T $(spamd_modules) "$(command -v spamd)" --local \
		--nouser-config $spamd_user --max-children=3 --min-children=2 \
		--listen="$daemon_socket" --socketmode=0666 \
		--listen="127.0.0.1:$daemon_port" --allowed-ips=127.0.0.1 \
		--configpath="$spamd_config" \
		--siteconfigpath="$daemon_home/site" \
		--helper-home-dir="$daemon_home" --pidfile="$daemon_home/pid" \
		--syslog=stderr
}
# With -T, PERL5LIB is not looked at.
spamd_modules() {
	spamd_usr=$(unpacked spamd spamd)
	for folder in "$spamd_usr/share/perl5" "$spamd_usr"/lib/spamd/5.*; do
		[ ! -d "$folder" ] || [ -z "$spamd_usr" ] || echo "-I$folder"
	done
}
configure_spamd() {
	spamd_usr=$(unpacked spamd spamd)
	spamd_share=${spamd_usr:-/usr}/share/spamassassin
	mkdir -p "$daemon_home/site" "$daemon_home/rules"
	spamd_config=$daemon_home/rules
	[ "${spamd_rules:-}" != all ] || spamd_config=$spamd_share
	for rules in 10_default_prefs 20_aux_tlds 20_body_tests 50_scores; do
		ln -sf "$spamd_share/$rules.cf" "$daemon_home/rules/"
	done
	for plugin in Check BodyEval DNSEval HTMLEval HeaderEval MIMEEval \
		RelayEval URIEval URIDetail WLBLEval; do
		echo "loadplugin Mail::SpamAssassin::Plugin::$plugin"
	done >"$daemon_home/site/init.pre"
	{
		echo 'use_bayes 0'
		echo 'score TVD_SPACE_RATIO 0'
		for score in 3 7 20; do
			echo "header SCORE_$score Subject =~ /score $score(?!\d)/"
			echo "score SCORE_$score $score"
		done
		echo "$spamd_lines"
	} >"$daemon_home/site/local.cf"
}

# rspamd, with GTUBE and what the Subject asks for: a word of it, in
# rspamd_rules below.
# start_rspamd [LINE…]: LINEs for its configuration
start_rspamd() {
	need rspamd pgrep perl
	rspamd_lines=$(printf '%s\n' "$@")
	start_daemon rspamd rspamd_is_up configure_rspamd run_rspamd
	rspamd=$daemon rspamd_socket=$daemon_socket rspamd_port=$daemon_port
	rspamd_log=$daemon_log
}
# The first scan takes seconds: what is loaded then, is not a test's.
rspamd_is_up() {
	ask "$daemon_socket" 'POST /checkv2 HTTP/1.0\r\nContent-Length: 16\r\n\r\nSubject: warm\n\nx' |
		grep -q ' 200 '
}
# rspamd calls it insecure to stay root: nothing but a test sends it anything.
run_rspamd() {
	rspamd_insecure=
	[ "$(id -u)" -ne 0 ] || rspamd_insecure=--insecure
	rspamd_usr=$(unpacked rspamd rspamd)
	rspamd_folders=
	[ -z "$rspamd_usr" ] || {
		LD_LIBRARY_PATH=$rspamd_usr/lib/rspamd
		export LD_LIBRARY_PATH
		rspamd_folders=$(rspamd_variables "$rspamd_usr/share/rspamd")
	}
	# shellcheck disable=SC2086 # options
	exec rspamd -f $rspamd_insecure $rspamd_folders -c "$daemon_home/conf"
}
rspamd_variables() {
	echo "--var=SHAREDIR=$1 --var=LUALIBDIR=$1/lualib" \
		"--var=RULESDIR=$1/rules --var=PLUGINSDIR=$1/plugins" \
		"--var=WWWDIR=$1/www"
}
configure_rspamd() {
	printf '%s\n' com net org test >"$daemon_home/domains"
	rspamd_rules >"$daemon_home/rules.lua"
	cat >"$daemon_home/conf" <<-END
		options {
		 url_tld = "$daemon_home/domains";
		 pidfile = "$daemon_home/pid";
		 filters = "";
		 dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }
		 task_timeout = 8s;
		 hs_cache_dir = "$daemon_home";
		 rrd = "";
		 history_file = "$daemon_home/history";
		 disable_monitoring = true;
		 control_socket = "$daemon_home/control mode=0600";
		}
		logging { type = "console"; level = "info"; }
		metric {
		 name = "default";
		 unknown_weight = 1.0;
		 actions { reject = 15; add_header = 6; greylist = 4; }
		}
		lua = "$daemon_home/rules.lua";
		worker "normal" {
		 bind_socket = "$daemon_socket mode=0666";
		 bind_socket = "127.0.0.1:$daemon_port";
		 count = 1;
		 mime = true;
		}
		$rspamd_lines
	END
}
# A word of the Subject asks for an action, or for the score; several can ask.
rspamd_rules() {
	cat <<-'END'
		local wishes = {}

		function wishes.headers(task)
			task:set_milter_reply({
				add_headers = {
					['X-One'] = 'one',
					['X-Placed'] = { value = 'second', order = 1 },
					['X-Many'] = {
						{ value = 'b', order = 1 },
						{ value = 'a', order = 0 },
						{ value = 'last', order = -1 },
					},
				},
				remove_headers = {
					['X-Gone'] = 0,
					['X-Second'] = 2,
					['X-Last'] = -1,
				},
			})
		end
		function wishes.sender(task)
			task:set_milter_reply({
				change_from = 'changed@example.net',
				add_rcpt = { 'added@example.net' },
			})
		end
		function wishes.soft(task)
			task:set_pre_result('soft reject', 'Come back later')
		end
		function wishes.grey(task)
			task:set_pre_result('greylist', 'Not yet')
		end
		function wishes.rejected(task)
			task:set_pre_result('reject', 'Not wanted here')
		end
		function wishes.discarded(task)
			task:set_milter_reply({ reject = 'discard' })
		end
		function wishes.quarantined(task)
			task:set_milter_reply({ reject = 'quarantine' })
		end
		function wishes.rewritten(task)
			task:set_metric_subject('[SPAM] rewritten')
			task:set_pre_result('rewrite subject', 'x')
		end
		function wishes.signed(task)
			task:insert_result('SIGNED', 0)
			task:set_milter_reply({ add_headers = {
				['DKIM-Signature'] = 'v=1; d=example.net' } })
		end

		local function register(name, score, wish)
			rspamd_config[name] = {
				score = score,
				type = 'normal',
				callback = function(task)
					local subject = task:get_subject() or ''
					if not (' ' .. subject .. ' '):find(' ' .. name:lower()
						:gsub('_', ' ') .. ' ', 1, true) then
						return false
					end
					if wish then wish(task) end
					return true, 1.0, 'asked'
				end,
			}
		end
		for name, wish in pairs(wishes) do
			register(name:upper(), 0, wish)
		end
		for _, score in ipairs({ 3, 7, 20 }) do
			register('SCORE_' .. score, score)
		end
	END
}

# Dovecot's LMTP. Known are user@example.org, other@example.org and full@example.org,
# who is over quota; their mail is in $dovecot_mail/USER/new.
# start_dovecot [LINE…]: LINEs for its configuration
start_dovecot() {
	need dovecot pgrep perl
	dovecot_lines=$(printf '%s\n' "$@")
	start_daemon dovecot dovecot_is_up configure_dovecot run_dovecot
	dovecot=$daemon dovecot_socket=$daemon_socket dovecot_port=$daemon_port
	dovecot_log=$daemon_log
	dovecot_mail=$daemon_home/mail
}
dovecot_is_up() {
	ask "$daemon_socket" 'QUIT\r\n' | grep -q ^220
}
run_dovecot() {
	dovecot_usr=$(unpacked dovecot dovecot-core)
	[ -n "$dovecot_usr" ] || exec dovecot -F -c "$daemon_home/conf"
	# It would have the machine's doveconf read its configuration.
	LD_LIBRARY_PATH=$dovecot_libraries \
		exec "$dovecot_usr/bin/doveconf" -f service=master \
		-c "$daemon_home/conf" -e "$dovecot_usr/sbin/dovecot" -F \
		-c "$daemon_home/conf"
}
# For the configuration: where an unpacked one has its parts. Where plugins would
# have been installed is in programs and the library as well, whatever is configured;
# they are given a path that is no longer, from base_dir, where they run.
dovecot_folders() {
	[ -n "$dovecot_usr" ] || return
	[ -d "$dovecot_parts" ] ||
		cp -RP "$dovecot_usr/lib/dovecot" "$dovecot_parts"
	perl -0777 -pi -e 's{/usr/lib/dovecot/(modules[/\w]*)\0}{
		$1 . "\0" x 18}eg' "$dovecot_parts/lmtp" \
		"$dovecot_parts/auth" "$dovecot_parts"/libdovecot*.so.0.0.0
	mkdir -p "$daemon_home/run"
	ln -sfn "$dovecot_parts/modules" "$daemon_home/run/modules"
	echo "libexec_dir = $dovecot_parts"
	echo "mail_plugin_dir = $dovecot_parts/modules"
	echo "import_environment = \$import_environment LD_LIBRARY_PATH=$dovecot_libraries"
}
# All of it is one user here, who need not be root: no chroot, no other users.
configure_dovecot() {
	mkdir -p "$daemon_home/run" "$daemon_home/state" "$daemon_home/mail"
	dovecot_user=$(id -un)
	dovecot_group=$(id -gn)
	dovecot_id=$(id -u):$(id -g)
	# Root's own uid would be refused: mail is some user's.
	[ "$(id -u)" -ne 0 ] || {
		dovecot_id=$(id -u nobody):$(id -g nobody)
		chown -R nobody "$daemon_home/mail"
	}
	for user in user other full; do
		dovecot_quota=
		# For all users, lmtp itself would load it, from its own folder.
		[ $user != full ] || dovecot_quota='userdb_mail_plugins=quota
			userdb_quota_rule=*:bytes=1'
		# shellcheck disable=SC2086 # its words, with one blank
		echo "$user@example.org::$dovecot_id::$daemon_home/mail/$user::"$dovecot_quota
	done >"$daemon_home/users"
	ln -sfn run/lmtp "$daemon_socket"
	dovecot_usr=$(unpacked dovecot dovecot-core)
	dovecot_parts=$daemon_home/parts
	dovecot_libraries=$dovecot_parts:$dovecot_parts/modules/old-stats:$dovecot_usr/lib/dovecot-core
	cat >"$daemon_home/conf" <<-END
		base_dir = $daemon_home/run
		state_dir = $daemon_home/state
		log_path = /dev/stderr
		protocols = lmtp
		ssl = no
		hostname = lmtp.example.org
		postmaster_address = postmaster@example.org
		first_valid_uid = 1
		default_internal_user = $dovecot_user
		default_internal_group = $dovecot_group
		default_login_user = $dovecot_user
		mail_location = maildir:~
		recipient_delimiter = +
		plugin {
		 quota = maildir:User quota
		 quota_status_overquota = 552 5.2.2 Mailbox is full
		}
		passdb {
		 driver = static
		 args = nopassword=y
		}
		userdb {
		 driver = passwd-file
		 args = username_format=%u $daemon_home/users
		}
		service anvil {
		 chroot =
		}
		service stats {
		 chroot =
		 client_limit = 100
		}
		service lmtp {
		 unix_listener lmtp {
		  mode = 0666
		 }
		 inet_listener lmtp {
		  address = 127.0.0.1
		  port = $daemon_port
		 }
		}
		$(dovecot_folders)
		$dovecot_lines
	END
}

# Postfix's smtp-sink: it takes whatever comes; each message is a file in
# $smtp_sink_mail, behind lines X-Client-…, X-Mail-Args and X-Rcpt-Args.
# start_smtp_sink [OPTION…], of smtp-sink: -L for LMTP, -r "." to answer 450 …
start_smtp_sink() {
	need smtp-sink pgrep perl
	start_daemon smtp_sink smtp_sink_is_up configure_smtp_sink \
		run_smtp_sink "$@"
	smtp_sink=$daemon smtp_sink_port=$daemon_port smtp_sink_log=$daemon_log
	smtp_sink_mail=$daemon_home/mail
}
smtp_sink_is_up() {
	is_listening "$daemon_port"
}
configure_smtp_sink() {
	mkdir -p "$daemon_home/mail"
	[ "$(id -u)" -ne 0 ] || chown nobody "$daemon_home/mail"
}
run_smtp_sink() {
	smtp_sink_user=
	[ "$(id -u)" -ne 0 ] || smtp_sink_user='-u nobody'
	cd "$daemon_home" || exit
	# shellcheck disable=SC2086 # options
	LD_LIBRARY_PATH=$daemon_peers/postfix/usr/lib/postfix \
		exec smtp-sink $smtp_sink_user -d "$daemon_home/mail/m" "$@" \
		"127.0.0.1:$daemon_port" 100
}
