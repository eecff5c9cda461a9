#!/bin/sh
# Made the certificates in this folder, once, with OpenSSL 3: `sh test/certificates/make.sh`. Tests read the results; their keys are
# public and protect nothing. They end in the year 2125, but for the one that tests need expired.
set -eu
cd "$(dirname "$0")"

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }

# authority NAME: a self-signed authority.
authority() {
  new_key "$1"
  openssl req -x509 -new -key "$1.key" -days 36500 -subj "/CN=$1" -out "$1.pem" \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
}

# certificate NAME AUTHORITY ALTERNATIVE-NAMES [FROM UNTIL]
certificate() {
  new_key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out request.tmp
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$3" > extensions.tmp
  : > index.tmp
  openssl ca -batch -notext -config /dev/stdin -cert "$2.pem" -keyfile "$2.key" -in request.tmp -out "$1.pem" \
    -extfile extensions.tmp -startdate "${4:-20250101000000Z}" -enddate "${5:-21250101000000Z}" <<CONFIG
[ca]
default_ca = here
[here]
database = index.tmp
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
CONFIG
  # What `openssl ca` keeps about its work; the copy that it names after the serial number is the certificate again.
  rm -f ./*.tmp ./*.tmp.* ./[0-9A-F]*.pem
}

authority authority
certificate shop authority 'DNS:shop.test,DNS:*.shop.test,DNS:localhost,IP:127.0.0.1,IP:::1'
certificate shop-renewed authority 'DNS:shop.test,DNS:*.shop.test,DNS:localhost,IP:127.0.0.1,IP:::1'
certificate other authority 'DNS:other.test,DNS:api.shop.test'
certificate expired authority 'DNS:shop.test,IP:127.0.0.1' 20200101000000Z 20210101000000Z
authority client-authority
certificate client client-authority 'DNS:client.test'
authority stranger-authority
certificate stranger stranger-authority 'DNS:client.test'
openssl pkey -in shop.key -aes128 -passout pass:secret -out encrypted.key
