//! The HTTP API, the middleware and the embedded web app.
//!
//! [`serve`] answers requests on a listener until it is told to stop; [`router`] is the same service
//! for tests. A route parses the request, calls one use case of [`bist_app::App`] and shapes the
//! answer; HTTP statuses and the JSON of the API are known here and nowhere else. Until there are
//! accounts the service answers requests for this machine only.
//!
//! The conventions of the API are in docs/API.md, its description is served at `/api/openapi.json`.

mod assets;
mod error;
mod extract;
mod middleware;
mod openapi;
mod paging;
mod router;
mod routes;
mod schema;
mod serve;
mod unchanged;

pub use router::router;
pub use serve::serve;
