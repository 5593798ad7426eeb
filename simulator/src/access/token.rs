//! Tokens as Enphase's cloud signs them: JWT with ES256, `aud` naming the gateway.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::role::Role;
use crate::serial::Serial;

/// What stands in for the key of Enphase's cloud (PKCS#8, P-256). It is public on purpose and
/// protects nothing: being always the same, a token outlives the simulator that wrote it, as a
/// real one outlives a restart of its gateway.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNgGNWifvKl93HN4XSZSRt03M\
    OxXuS2ZVbACpfpRUIWihRANCAAR+GwtibwRyNA8aJWmFsO0cWcFB5DYBH14yOHncr8F0Jm3Gn7hZSiA3Lj5NRPDWmKT2\
    fNpZnXTakczrrigqOyNS";

/// Signs tokens and verifies them.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

/// What a token is to say.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    /// The gateway that it is for.
    pub(crate) serial: &'a Serial,
    pub(crate) role: Role,
    /// The name of the account.
    pub(crate) username: &'a str,
    pub(crate) lifetime: Duration,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum TokenRefused {
    #[error("it is not a JWT signed with ES256")]
    Malformed,
    #[error("its signature is not the cloud's")]
    Signature,
    #[error("it is for another gateway")]
    Audience,
    #[error("it has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Header {
    kid: Option<String>,
    typ: Option<String>,
    alg: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    aud: String,
    iss: String,
    enphase_user: Role,
    exp: i64,
    iat: i64,
    jti: String,
    username: String,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = STANDARD.decode(KEY).expect("the constant is base64");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random)
            .expect("the constant is a P-256 key");
        Self { key, random }
    }

    /// A token, good from `now` on.
    pub(crate) fn token(&self, claim: &Claim<'_>, now: Timestamp) -> SecretString {
        let iat = now.as_second();
        self.sign(&Claims {
            aud: claim.serial.to_string(),
            iss: "Entrez".to_owned(),
            enphase_user: claim.role,
            exp: iat.saturating_add_unsigned(claim.lifetime.as_secs()),
            iat,
            jti: format!("{:032x}", rand::random::<u128>()),
            username: claim.username.to_owned(),
        })
        .into()
    }

    /// A token for the owner of a gateway, good for a year from `now`.
    pub(crate) fn owner_token(&self, serial: &Serial, now: Timestamp) -> SecretString {
        let claim = Claim {
            serial,
            role: Role::Owner,
            username: "owner@example.com",
            lifetime: Role::Owner.token_lifetime(),
        };
        self.token(&claim, now)
    }

    fn sign(&self, claims: &Claims) -> String {
        let header = Header {
            kid: Some("simulator".to_owned()),
            typ: Some("JWT".to_owned()),
            alg: "ES256".to_owned(),
        };
        let mut token = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .key
            .sign(&self.random, token.as_bytes())
            .expect("signing fails only without a source of randomness");
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        token
    }

    /// Checks a token as a gateway does, with `now` by the gateway's clock: what its bearer is.
    pub(super) fn verify(
        &self,
        token: &str,
        serial: &Serial,
        now: Timestamp,
    ) -> Result<Role, TokenRefused> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenRefused::Malformed)?;
        let header: Header = decode(header)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| TokenRefused::Malformed)?;
        if header.alg != "ES256" {
            return Err(TokenRefused::Malformed);
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key())
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| TokenRefused::Signature)?;
        let claims: Claims = decode(claims)?;
        if claims.aud != serial.as_str() {
            return Err(TokenRefused::Audience);
        }
        if claims.exp > now.as_second() {
            Ok(claims.enphase_user)
        } else {
            Err(TokenRefused::Expired)
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

fn encode(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).expect("strings and numbers always serialise"))
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenRefused> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenRefused::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenRefused::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    fn serial(text: &str) -> Serial {
        text.parse().expect("a serial")
    }

    #[test]
    fn an_owner_token_is_good_for_exactly_a_year() {
        let (signer, serial) = (Signer::new(), serial("122012345678"));
        let token = signer.owner_token(&serial, second(1_697_364_200));
        let verify = |now| signer.verify(token.expose_secret(), &serial, second(now));
        assert_eq!(verify(1_697_364_200), Ok(Role::Owner));
        assert_eq!(verify(1_728_900_199), Ok(Role::Owner));
        assert_eq!(verify(1_728_900_200), Err(TokenRefused::Expired));
    }

    #[test]
    fn a_token_of_another_gateway_is_refused() {
        let signer = Signer::new();
        let token = signer.owner_token(&serial("122012345679"), second(0));
        let verified = signer.verify(token.expose_secret(), &serial("122012345678"), second(1));
        assert_eq!(verified, Err(TokenRefused::Audience));
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let (signer, serial) = (Signer::new(), serial("122012345678"));
        let token = signer.owner_token(&serial, second(0));
        let parts: Vec<&str> = token.expose_secret().split('.').collect();
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
        let claims = String::from_utf8(claims)
            .expect("JSON")
            .replace("owner\"", "installer\"");
        let forged = format!(
            "{}.{}.{}",
            parts[0],
            URL_SAFE_NO_PAD.encode(claims),
            parts[2]
        );
        assert_eq!(
            signer.verify(&forged, &serial, second(1)),
            Err(TokenRefused::Signature)
        );
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        let (signer, serial) = (Signer::new(), serial("122012345678"));
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for token in ["", "..", "x.y.z", &format!("{none}.{none}.")] {
            assert_eq!(
                signer.verify(token, &serial, second(1)),
                Err(TokenRefused::Malformed)
            );
        }
    }
}
