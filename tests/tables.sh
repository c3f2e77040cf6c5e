# For the tests of mkauth, mkvalidrcptto and cdb-refresh: a host's accounts in a
# tree of their own, $tree. Behind lib.sh.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2154 # from lib.sh

tree=$work/tree
# An account that is nobody's as far as qmail is concerned has the uid 0.
uid=$(id -u)
gid=$(id -g)
[ "$uid" -ne 0 ] || uid=12345
[ "$gid" -ne 0 ] || gid=12345
mkdir -p "$tree/control" "$tree/users" "$tree/alias" "$tree/homes"
echo mail.example.com >"$tree/control/me"
: >"$tree/passwd"
: >"$tree/shadow"
VQ=$tree
export VQ
unset CONTROLDIR MKAUTH MKVRCPT AUTHFILE VRCPTFILE

# give PATH: to the accounts' uid
give() {
	[ "$(id -u)" -ne 0 ] || chown -hR "$uid" "$1"
}
# plant_user NAME HASH [UID]: with a home that is theirs
plant_user() {
	mkdir -p "$tree/homes/$1"
	give "$tree/homes/$1"
	echo "$1:x:${3:-$uid}:$gid::$tree/homes/$1:/bin/sh" >>"$tree/passwd"
	echo "$1:$2:15800:0:99999:7:::" >>"$tree/shadow"
}
# plant_domain DOMAIN [ALIAS...]: a domain of vpopmail; its vpasswd is standard
# input.
plant_domain() {
	domain_folder=$tree/vpopmail/domains/$1
	mkdir -p "$domain_folder"
	cat >"$domain_folder/vpasswd"
	echo "| $tree/vpopmail/bin/vdelivermail '' bounce-no-mailbox" \
		>"$domain_folder/.qmail-default"
	real_domain=$1
	for domain; do
		echo "+$domain-:$real_domain:$uid:$gid:$domain_folder:-::"
	done >>"$tree/users/assign"
	for domain; do
		echo "$domain:$domain" >>"$tree/control/virtualdomains"
		echo "$domain" >>"$tree/control/rcpthosts"
	done
}
# finish_assign: the dot that ends it
finish_assign() {
	echo . >>"$tree/users/assign"
}

# Readers of a cdb; the two may be unpacked beside the tests (scripts/with-deps).
freecdb_folder=${FREECDB:-$top/build/deps/peers/freecdb}
cdb_file_folder=${CDB_FILE:-$top/build/deps/peers/libcdb-file-perl}
PATH=$PATH:$freecdb_folder/usr/bin
cdb_file=$(find "$cdb_file_folder" -name CDB_File.pm 2>/dev/null)
PERL5LIB=${cdb_file%/*}
export PERL5LIB

# readers_agree FILE NAME: what each makes of it is what tinycdb does
readers_agree() {
	cdb -d "$1" >"$work/of-tinycdb"
	if is_here cdbdump "$2: freecdb's cdbdump reads it"; then
		cdbdump <"$1" >"$work/of-freecdb"
		same_file "$work/of-freecdb" "$work/of-tinycdb" \
			"$2: freecdb's cdbdump reads it"
	fi
	if [ "${CI:-}" != true ] && ! perl -MCDB_File -e 1 2>/dev/null; then
		skip 'CDB_File is not here' "$2: Perl's CDB_File reads it"
		return
	fi
	perl -MCDB_File -e '
		tie(my %t, "CDB_File", $ARGV[0]) or die;
		while (my ($key, $value) = each %t) {
			die unless $t{$key} eq $value;
			printf "+%d,%d:%s->%s\n", length $key, length $value,
				$key, $value;
		}
		print "\n";' "$1" >"$work/of-perl"
	same_file "$work/of-perl" "$work/of-tinycdb" "$2: Perl's CDB_File reads it"
}
