/* SPDX-License-Identifier: ISC */
#include "warm_up.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <stddef.h>

/* OpenSSL's macro wants no const. */
static struct kind {
	int version;
	char signatures[16];
} kinds[] = {
	{ TLS1_2_VERSION, "RSA+SHA256" },
	{ TLS1_2_VERSION, "ECDSA+SHA256" },
	{ TLS1_3_VERSION, "RSA-PSS+SHA256" },
	{ TLS1_3_VERSION, "ECDSA+SHA256" },
};

enum { ROUND_TRIPS = 8, HANDSHAKES = 2 };

static void converse(SSL *client, SSL *server)
{
	char nothing[1];

	for (int i = 0; i < ROUND_TRIPS; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	if (!SSL_is_init_finished(server)) return;
	/* For its own keys, and for the ticket behind the handshake. */
	SSL_write(client, "", 1);
	SSL_read(server, nothing, sizeof nothing);
	SSL_write(server, "", 1);
	SSL_read(client, nothing, sizeof nothing);
}

/* Gives the session that can be resumed, or NULL. */
static SSL_SESSION *shake_hands(SSL_CTX *clients, SSL_CTX *servers,
				SSL_SESSION *known)
{
	SSL *client = SSL_new(clients), *server = SSL_new(servers);
	SSL_SESSION *session = NULL;
	BIO *one, *other;

	if (client && server && BIO_new_bio_pair(&one, 0, &other, 0) == 1) {
		SSL_set_bio(client, one, one);
		SSL_set_bio(server, other, other);
		SSL_set_connect_state(client);
		SSL_set_accept_state(server);
		if (known) SSL_set_session(client, known);
		converse(client, server);
		session = SSL_get1_session(client);
		SSL_shutdown(client);
		SSL_shutdown(server);
	}
	SSL_free(client);
	SSL_free(server);
	return session;
}

void warm_up(SSL_CTX *servers)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		SSL_CTX *clients = SSL_CTX_new(TLS_client_method());
		SSL_SESSION *known = NULL;

		if (!clients) break;
		SSL_CTX_set_min_proto_version(clients, kinds[i].version);
		SSL_CTX_set_max_proto_version(clients, kinds[i].version);
		SSL_CTX_set1_sigalgs_list(clients, kinds[i].signatures);
		for (int n = 0; n < HANDSHAKES; n++) {
			SSL_SESSION *next =
				shake_hands(clients, servers, known);

			SSL_SESSION_free(known);
			known = next;
		}
		SSL_SESSION_free(known);
		SSL_CTX_free(clients);
	}
	ERR_clear_error();
}
