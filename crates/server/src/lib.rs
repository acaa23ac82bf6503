//! The HTTP API, the middleware and the embedded web app.
//!
//! [`serve`] answers requests on a listener until it is told to stop; [`router`] is the same service
//! for tests. A route parses the request, calls one use case of [`bist_app::App`] and shapes the
//! answer; HTTP statuses and the JSON of the API are known here and nowhere else. [`ServerSettings`]
//! are what the operator decides about the edge: names, proxies, origins, limits, TLS
//! (docs/adr/0029-edge.md). [`self_test`] asks the service as an attacker would, and says what held.
//!
//! The conventions of the API are in docs/API.md, its description is served at `/api/openapi.json`.

mod access_table;
mod assets;
mod connections;
mod error;
mod extract;
mod joined_writes;
mod kept;
mod line;
mod middleware;
mod openapi;
mod origin;
mod paging;
mod router;
mod routes;
mod schema;
mod self_test;
mod serve;
mod settings;
mod tls;
mod unchanged;
mod visitor;

pub use origin::{Origin, OriginError};
pub use router::router;
pub use routes::health::web_app;
pub use self_test::self_test;
pub use serve::serve;
pub use settings::{ConnectionLimits, LiveLimits, ServerSettings};
pub use tls::{Tls, TlsError};
