/* SPDX-License-Identifier: ISC */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/message.h"
#include "system/deadline.h"
#include "system/net.h"

enum { OLDEST_VERSION = TLS1_2_VERSION };

static const char *take_reason(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *words;

	ERR_clear_error();
	if (ERR_SYSTEM_ERROR(error)) return error_text(ERR_GET_REASON(error));
	words = ERR_reason_error_string(error);
	return words ? words : "unknown error";
}

/* ---- whom to trust ---- */

static int load_authorities(SSL_CTX *context, const char *path)
{
	struct stat file;

	if (!path) return SSL_CTX_set_default_verify_paths(context);
	if (stat(path, &file) == 0 && S_ISDIR(file.st_mode))
		return SSL_CTX_load_verify_dir(context, path);
	return SSL_CTX_load_verify_file(context, path);
}

static bool is_address(const char *name)
{
	struct net_ip ip;

	return net_ip_parse(name, &ip) == 0;
}

/* An address is in the certificate as an address, and no name to ask for (RFC
   6066 section 3). */
static bool expect_name(SSL *ssl, char *name, bool verifies)
{
	X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);

	if (!is_address(name)) {
		if (SSL_set_tlsext_host_name(ssl, name) != 1) return false;
		X509_VERIFY_PARAM_set_hostflags(
			wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		return !verifies ||
		       X509_VERIFY_PARAM_set1_host(wanted, name, 0) == 1;
	}
	return !verifies || X509_VERIFY_PARAM_set1_ip_asc(wanted, name) == 1;
}

static SSL *new_session(const struct settings *settings)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	if (!context ||
	    SSL_CTX_set_min_proto_version(context, OLDEST_VERSION) != 1)
		return NULL;
	if (settings->verifies &&
	    load_authorities(context, settings->authority) != 1)
		return NULL;
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(
		context, settings->verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
		NULL);
	ssl = SSL_new(context);
	if (!ssl) return NULL;
	if (settings->name &&
	    !expect_name(ssl, settings->name, settings->verifies))
		return NULL;
	if (SSL_set_rfd(ssl, settings->network_in) != 1 ||
	    SSL_set_wfd(ssl, settings->network_out) != 1)
		return NULL;
	return ssl;
}

/* ---- the handshake ---- */

static const char *failure(const SSL *ssl, int error)
{
	unsigned long reason = ERR_peek_last_error();

	if (error == SSL_ERROR_SSL && ERR_GET_LIB(reason) == ERR_LIB_SSL &&
	    ERR_GET_REASON(reason) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return X509_verify_cert_error_string(
			SSL_get_verify_result(ssl));
	if (error == SSL_ERROR_SSL) return take_reason();
	if (error == SSL_ERROR_SYSCALL && errno) return error_text(errno);
	return "the server closed the connection";
}

static const char *shake_hands(SSL *ssl, const struct settings *settings)
{
	deadline end = deadline_in(settings->seconds);

	for (;;) {
		int result, error, ready;

		ERR_clear_error();
		errno = 0;
		result = SSL_connect(ssl);
		if (result == 1) return NULL;
		error = SSL_get_error(ssl, result);
		if (error == SSL_ERROR_WANT_READ)
			ready = deadline_wait(settings->network_in, POLLIN,
					      end);
		else if (error == SSL_ERROR_WANT_WRITE)
			ready = deadline_wait(settings->network_out, POLLOUT,
					      end);
		else return failure(ssl, error);
		if (ready == 0) return "timed out";
		if (ready < 0) return error_text(errno);
	}
}

/* Nor delay: a handshake is a conversation of small messages. */
static void never_block(int fd)
{
	static const int on = 1;

	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	/* It may be no TCP socket; then there is no delay to end. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

SSL *connection_start(const struct settings *settings, const char **trouble)
{
	SSL *ssl = new_session(settings);

	if (!ssl) {
		*trouble = take_reason();
		return NULL;
	}
	never_block(settings->network_in);
	never_block(settings->network_out);
	*trouble = shake_hands(ssl, settings);
	if (!*trouble) return ssl;
	/* Tells the server what is wrong with it; it may be gone. */
	(void)SSL_shutdown(ssl);
	return NULL;
}

void connection_describe(const SSL *ssl, struct str *text)
{
	str_append_text(text, SSL_get_version(ssl));
	str_append_byte(text, ' ');
	str_append_text(text, SSL_get_cipher_name(ssl));
}
