//! `/dev/*`: sessions on demand, and the clock.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::HOST;
use procedures::error::{Code, Error, Result};
use procedures::member::Role;
use procedures::session::{self, NewServiceToken, Scope};
use procedures::values::{Moment, Name, OrganizationId, ProviderSubject, Slug};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::clock;
use super::idp::{Issuers, TokenRequest, published};
use crate::answer::{self, read_json_body, refuse, request_id};
use crate::origins::{AllowedOrigins, is_loopback};

/// The longest life of a token, and the furthest move of the clock, in seconds: ten years.
const MAX_SECONDS: i64 = 10 * 366 * 24 * 60 * 60;

/// How long a token lives unless told, in seconds.
const TOKEN_SECONDS: i64 = 3600;

pub fn router(issuers: Arc<Issuers>) -> Router {
    let (configuration, keys, token) = (issuers.clone(), issuers.clone(), issuers.clone());
    let (service, organization, clock) = (issuers.clone(), issuers.clone(), issuers);
    Router::new()
        .route(
            "/dev/idp/{slug}/.well-known/openid-configuration",
            get(async move |path: InPath| answered(self::configuration(&configuration, path).await)),
        )
        .route(
            "/dev/idp/{slug}/jwks.json",
            get(async move |path: InPath| answered(self::keys(&keys, path).await)),
        )
        .route("/dev/token", post(async move |request| answered(self::token(&token, request).await)))
        .route(
            "/dev/service-token",
            post(async move |request| answered(service_token(&service, request).await)),
        )
        .route(
            "/dev/organization",
            post(async move |request| answered(self::organization(&organization, request).await)),
        )
        .route("/dev/clock", post(async move |request| answered(move_clock(&clock, request).await)))
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn(local_only))
        // Sessions are for pages of this machine alone, whoever else may call with one.
        .layer(AllowedOrigins::loopback().layer())
}

/// A web page that has its own name point to this machine would call by that name; it gets no session.
async fn local_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match is_loopback(host) {
        true => next.run(request).await,
        false => refuse(&Error::new(Code::Forbidden, "Only by a loopback name."), &request_id()),
    }
}

fn answered(answer: Result<impl Serialize>) -> Response {
    let json = answer.and_then(|answer| serde_json::to_string(&answer).map_err(Error::internal));
    match json {
        Ok(json) => answer::json(StatusCode::OK, Body::from(json)),
        Err(error) => refuse(&error, &request_id()),
    }
}

async fn read<T: DeserializeOwned>(request: Request) -> Result<T> {
    let (head, body) = request.into_parts();
    let body = read_json_body(&head.headers, body).await?;
    let parsed: serde_json::Value = serde_json::from_slice(&body)
        .map_err(|_| Error::new(Code::ParseError, "The body is not valid JSON."))?;
    T::deserialize(parsed).map_err(|error| Error::invalid_input("", error.to_string()))
}

/// The organization in an address.
type InPath = Result<Path<String>, PathRejection>;

fn named(path: InPath) -> Result<Slug> {
    slug(&path.map_err(|_| Error::not_found())?)
}

/// A slug that no organization can have names none.
fn slug(text: &str) -> Result<Slug> {
    text.parse().map_err(|_| Error::not_found())
}

async fn configuration(issuers: &Issuers, organization: InPath) -> Result<serde_json::Value> {
    let slug = named(organization)?;
    let key = issuers.key(&slug).await?;
    Ok(json!({
        "issuer": key.issuer,
        // The issuer's name was given by the process that made it, which may have served at another address.
        "jwks_uri": format!("{}/dev/idp/{slug}/jwks.json", issuers.base),
        "token_endpoint": format!("{}/dev/token", issuers.base),
        "id_token_signing_alg_values_supported": ["ES256"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    }))
}

async fn keys(issuers: &Issuers, organization: InPath) -> Result<jsonwebtoken::jwk::JwkSet> {
    published(&issuers.key(&named(organization)?).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenInput {
    organization: String,
    subject: ProviderSubject,
    role: Option<Role>,
    name: Option<Name>,
    global_admin: Option<bool>,
    expires_in: Option<i64>,
}

async fn token(issuers: &Issuers, request: Request) -> Result<super::idp::IssuedToken> {
    let input: TokenInput = read(request).await?;
    let expires_in = bounded("expiresIn", input.expires_in.unwrap_or(TOKEN_SECONDS))?;
    let request = TokenRequest {
        subject: input.subject,
        role: input.role.unwrap_or(Role::Learner),
        name: input.name,
        global_admin: input.global_admin.unwrap_or(false),
        expires_in,
    };
    issuers.issue(&slug(&input.organization)?, request).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceTokenInput {
    organization: String,
    scopes: Vec<Scope>,
}

async fn service_token(issuers: &Issuers, request: Request) -> Result<serde_json::Value> {
    let input: ServiceTokenInput = read(request).await?;
    let key = issuers.key(&slug(&input.organization)?).await?;
    let name = "development".parse::<Name>().map_err(Error::internal)?;
    let new = NewServiceToken {
        organization_id: key.organization_id,
        name,
        scopes: input.scopes,
        expires_at: None,
    };
    let token = session::create_service_token(&issuers.app.db, issuers.app.clock.now(), new).await?;
    Ok(json!({ "token": token }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationInput {
    slug: Slug,
    name: Option<Name>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationAnswer {
    organization_id: OrganizationId,
}

async fn organization(issuers: &Issuers, request: Request) -> Result<OrganizationAnswer> {
    let input: OrganizationInput = read(request).await?;
    let name = match input.name {
        Some(name) => name,
        None => input.slug.to_string().parse().map_err(|_| Error::internal("a slug is a name"))?,
    };
    Ok(OrganizationAnswer { organization_id: issuers.ensure_organization(input.slug, name).await? })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockInput {
    now: Option<Moment>,
    advance_seconds: Option<i64>,
}

async fn move_clock(issuers: &Issuers, request: Request) -> Result<serde_json::Value> {
    let input: ClockInput = read(request).await?;
    let micros = match (input.now, input.advance_seconds) {
        (Some(now), None) => now.micros() - issuers.app.clock.now().micros(),
        (None, Some(seconds)) => bounded("advanceSeconds", seconds)? * 1_000_000,
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::invalid_input("now", "one of now and advanceSeconds is required"));
        }
    };
    let now = clock::advance(&issuers.app, micros).await?;
    Ok(json!({ "now": now }))
}

fn bounded(field: &str, seconds: i64) -> Result<i64> {
    match (-MAX_SECONDS..=MAX_SECONDS).contains(&seconds) {
        true => Ok(seconds),
        false => Err(Error::invalid_input(field, "more than ten years")),
    }
}
