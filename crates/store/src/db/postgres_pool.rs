//! Connections to PostgreSQL, whose server may be away.
//!
//! sqlx waits for a connection as long as it was told, whether all are in use or nobody answers, and says
//! the same of both. So whoever waits for longer than a moment asks the server by a connection of its own
//! whether it is there, and while it is not, everybody is told so at once.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgPool, Postgres};
use sqlx::{ConnectOptions as _, Connection as _, pool::PoolConnection};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::outside_part::OutsidePart;

/// After this it is asked whether the server is there, and again and again.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long that may take.
const PROBE_TIME_MAX: Duration = Duration::from_secs(1);

/// How long the server is left alone that is not there.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(1);

/// How long one statement may take, the wait for a connection included: a connection that leads nowhere any
/// more is not noticed otherwise, for the server may be there by another.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(120);

/// An answer that is waited for. It is boxed, for each query is part of what waits for it, up to a job.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'a>>;

/// Connections to one server. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct PostgresPool {
    pub(crate) connections: PgPool,
    server: PostgresServer,
}

/// The server, as all pools of it see it. Cloning shares that.
#[derive(Clone, Debug)]
pub(crate) struct PostgresServer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: PgConnectOptions,
    part: OutsidePart,
    /// When it was asked last, and why it was not there.
    asked: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl PostgresPool {
    pub(crate) fn new(connections: PgPool, server: PostgresServer) -> Self {
        Self { connections, server }
    }

    pub(super) async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        self.watched(self.connections.acquire()).await
    }

    pub(super) async fn begin(&self) -> Result<sqlx::Transaction<'static, Postgres>, sqlx::Error> {
        self.watched(self.connections.begin()).await
    }

    /// Waits for what one of the connections was asked, and for no longer when the server is away.
    pub(super) fn watched<'a, T: Send + 'a>(
        &'a self,
        asking: impl Future<Output = Result<T, sqlx::Error>> + Send + 'a,
    ) -> Boxed<'a, T> {
        Box::pin(async move {
            let server = &self.server;
            server.0.part.pass().map_err(|alone| away(&alone.last))?;
            let began = Instant::now();
            let mut asking = pin!(asking);
            loop {
                match timeout(PATIENCE, asking.as_mut()).await {
                    // One connection may be lost, and the server there.
                    Ok(Err(error)) if is_away(&error) => {
                        server.require().await?;
                        return Err(error);
                    }
                    Ok(answer) => {
                        server.0.part.note(None::<&String>);
                        return answer;
                    }
                    Err(_) if began.elapsed() < STATEMENT_TIME_MAX => server.require().await?,
                    Err(_) => return Err(late()),
                }
            }
        })
    }
}

impl PostgresServer {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        let part = OutsidePart::new(1, LEFT_ALONE_FOR);
        Self(Arc::new(Shared { options, part, asked: Mutex::default() }))
    }

    /// Asks it whether it is there. Those who ask at the same time share the answer.
    async fn require(&self) -> Result<(), sqlx::Error> {
        let Shared { options, part, asked } = &*self.0;
        let mut asked = asked.lock().await;
        let answer = match asked.take() {
            Some((at, answer)) if at.elapsed() < PATIENCE => (at, answer),
            _ => {
                let answer = match timeout(PROBE_TIME_MAX, options.connect()).await {
                    Ok(Ok(connection)) => {
                        drop(timeout(PROBE_TIME_MAX, connection.close()).await);
                        Ok(())
                    }
                    Ok(Err(error)) if is_away(&error) => Err(error.to_string()),
                    // It is there, and has no connection left.
                    Ok(Err(_)) => Ok(()),
                    Err(_) => Err(format!("no answer within {} s", PROBE_TIME_MAX.as_secs())),
                };
                part.note(answer.as_ref().err());
                (Instant::now(), answer)
            }
        };
        let (_, answer) = asked.insert(answer);
        answer.as_ref().map_err(|error| away(error)).copied()
    }
}

/// Waits for what a held connection was asked, which may lead nowhere any more.
pub(super) fn in_time<'a, T: Send + 'a>(
    asking: impl Future<Output = Result<T, sqlx::Error>> + Send + 'a,
) -> Boxed<'a, T> {
    let asking = timeout(STATEMENT_TIME_MAX, asking);
    Box::pin(async move { asking.await.unwrap_or_else(|_| Err(late())) })
}

fn late() -> sqlx::Error {
    away(&format!("no answer within {} s", STATEMENT_TIME_MAX.as_secs()))
}

fn away(why: &str) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::NotConnected, why))
}

/// Whether an error may mean that the server is not there: the network failed, or it stops or starts.
fn is_away(error: &sqlx::Error) -> bool {
    if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) {
        return true;
    }
    let state =
        error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    state.is_some_and(|error| matches!(error.code(), "57P01" | "57P02" | "57P03"))
}
