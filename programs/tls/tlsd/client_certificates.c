/* SPDX-License-Identifier: ISC */
#include "client_certificates.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

#include "base/message.h"
#include "base/str.h"
#include "file_bio.h"

static const char ca_list[] = "CA list";

/* Once for all contexts. */
static X509_STORE *trusted;
static STACK_OF(X509_NAME) * client_authorities;

/* Of everything that the verdict on a client depends on. A session is resumed
   only where this is the same, or a CA that is gone would live on in tickets.
   OpenSSL's room for it is 32 bytes. */
static unsigned char policy[EVP_MAX_MD_SIZE];
static unsigned policy_length;

static bool are_asked_for(const struct settings *settings)
{
	return settings->require_certificate || settings->client_ca_file;
}

static void add_pem(const char *path, bool with_names, EVP_MD_CTX *digest)
{
	struct str text = { 0 };
	BIO *bio = file_bio_open(ca_list, path, &text);
	STACK_OF(X509_INFO) *found =
		PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);

	if (!found) die_of_file(ca_list, path);
	EVP_DigestUpdate(digest, text.data, text.length);
	for (int i = 0; i < sk_X509_INFO_num(found); i++) {
		const X509_INFO *info = sk_X509_INFO_value(found, i);

		if (info->x509) X509_STORE_add_cert(trusted, info->x509);
		if (info->crl) X509_STORE_add_crl(trusted, info->crl);
		if (info->x509 && with_names)
			sk_X509_NAME_push(client_authorities,
					  X509_NAME_dup(X509_get_subject_name(
						  info->x509)));
	}
	sk_X509_INFO_pop_free(found, X509_INFO_free);
	file_bio_close(bio, &text);
}

static void add_folder(const char *path, EVP_MD_CTX *digest)
{
	struct str file = { 0 };
	struct dirent *entry;
	DIR *folder = opendir(path);

	if (!folder) die_temporary("unable to load %s %s:", ca_list, path);
	for (;;) {
		errno = 0;
		entry = readdir(folder);
		if (!entry) break;
		if (entry->d_name[0] == '.') continue;
		str_clear(&file);
		str_append_text(&file, path);
		str_append_byte(&file, '/');
		str_append_text(&file, entry->d_name);
		add_pem(file.data, false, digest);
	}
	if (errno) die_temporary("unable to load %s %s:", ca_list, path);
	closedir(folder);
	str_free(&file);
}

static void add_files(const struct settings *settings, EVP_MD_CTX *digest)
{
	const char *named = settings->client_ca_file ? settings->client_ca_file
						     : settings->ca_file;

	if (settings->ca_file)
		add_pem(settings->ca_file, settings->ca_file == named, digest);
	if (settings->ca_folder) add_folder(settings->ca_folder, digest);
	/* Clients are told these names; who has set nothing else trusts them,
	   too. */
	if (settings->client_ca_file)
		add_pem(settings->client_ca_file, true, digest);
	if (settings->crl_folder) add_folder(settings->crl_folder, digest);
}

void client_certificates_load(const struct settings *settings)
{
	EVP_MD_CTX *digest;

	if (!are_asked_for(settings)) return;
	if (!settings->ca_file && !settings->ca_folder &&
	    !settings->client_ca_file)
		die_temporary("unable to load %s: neither CAFILE, CADIR nor "
			      "CCAFILE is set",
			      ca_list);
	digest = EVP_MD_CTX_new();
	trusted = X509_STORE_new();
	client_authorities = sk_X509_NAME_new_null();
	if (!digest || !trusted || !client_authorities)
		die_temporary("out of memory");
	EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
	add_files(settings, digest);
	if (settings->crl_folder)
		X509_STORE_set_flags(trusted, X509_V_FLAG_CRL_CHECK);
	EVP_DigestUpdate(digest, &settings->require_certificate,
			 sizeof settings->require_certificate);
	EVP_DigestUpdate(digest, &settings->verify_depth,
			 sizeof settings->verify_depth);
	EVP_DigestFinal_ex(digest, policy, &policy_length);
	EVP_MD_CTX_free(digest);
}

/* Not required: the program is told what the certificate is worth. */
static int go_on_anyhow(int verified, X509_STORE_CTX *store)
{
	(void)verified, (void)store;
	return 1;
}

void client_certificates_use(const struct settings *settings, SSL_CTX *context)
{
	static const unsigned char nobody_asked[] = "chainmail";

	if (!are_asked_for(settings)) {
		SSL_CTX_set_session_id_context(context, nobody_asked,
					       sizeof nobody_asked);
		return;
	}
	SSL_CTX_set_session_id_context(context, policy, policy_length);
	SSL_CTX_set1_cert_store(context, trusted);
	SSL_CTX_set_client_CA_list(context,
				   SSL_dup_CA_list(client_authorities));
	if (settings->verify_depth >= 0)
		SSL_CTX_set_verify_depth(context, (int)settings->verify_depth);
	if (settings->require_certificate)
		SSL_CTX_set_verify(context,
				   SSL_VERIFY_PEER |
					   SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	else SSL_CTX_set_verify(context, SSL_VERIFY_PEER, go_on_anyhow);
}
