//! Head and body of a small answer leave as one piece.
//!
//! They come as a list of pieces, and the system takes longer over a list (`writev`) than copying some
//! kilobytes and handing them over as one (`send`) takes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that is copied, bytes; what is longer goes out as the list that it is.
const JOINED_LEN_MAX: usize = 4096;

/// A connection on which pieces that belong together and are short are joined.
#[derive(Debug)]
pub(crate) struct JoinedWrites<S>(pub(crate) S);

impl<S: AsyncRead + Unpin> AsyncRead for JoinedWrites<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for JoinedWrites<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let inner = Pin::new(&mut self.0);
        let mut joined = [0; JOINED_LEN_MAX];
        match join(pieces, &mut joined) {
            // Of what is not taken the rest comes again, as it does of a list.
            Some(joined) => inner.poll_write(context, joined),
            None => inner.poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// All of `pieces` one after the other in `room`; `None` when they do not fit.
fn join<'a>(pieces: &[IoSlice<'_>], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut end = 0;
    for piece in pieces {
        let from = end;
        end += piece.len();
        room.get_mut(from..end)?.copy_from_slice(piece);
    }
    room.get(..end)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_is_written_in_pieces_comes_whole_whatever_its_length() {
        for lengths in [[0, 0], [1, 0], [700, 900], [96, 4000], [97, 4000], [300, 200_000]] {
            let (here, mut there) = tokio::io::duplex(1024);
            let pieces: Vec<Vec<u8>> = (0_u8..).zip(lengths).map(|(i, n)| vec![i; n]).collect();
            let wanted = pieces.concat();
            let writing = async move {
                let (mut here, mut from) = (JoinedWrites(here), 0);
                let total = lengths[0] + lengths[1];
                while from < total {
                    let head = pieces[0].get(from..).unwrap_or_default();
                    let body = &pieces[1][from.saturating_sub(lengths[0])..];
                    let left = [head, body].map(IoSlice::new);
                    from += here.write_vectored(&left).await.unwrap();
                }
            };
            let mut read = Vec::new();
            let reading = there.read_to_end(&mut read);
            let ((), read_count) = tokio::join!(writing, reading);
            assert_eq!(read_count.unwrap(), wanted.len());
            assert_eq!(read, wanted, "{lengths:?}");
        }
    }
}
