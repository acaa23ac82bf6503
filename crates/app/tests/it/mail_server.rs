//! A server of mail that speaks as much SMTP as a client needs, and fails when it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running server; it lives as long as the test.
#[derive(Debug)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// Takes mail, but answers the end of each of the first ones with one of `failures`.
    pub(crate) fn start(failures: &[&'static str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut failures) = (Arc::clone(&mails), failures.to_vec());
        failures.reverse();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that went away is its own affair.
                talk(stream.unwrap(), &kept, &mut failures).ok();
            }
        });
        Self { port, mails }
    }

    /// The mails that were taken, head and all.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

fn talk(
    mut stream: TcpStream,
    mails: &Mutex<Vec<String>>,
    failures: &mut Vec<&'static str>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 test ESMTP\r\n")?;
    while let Some(line) = lines.next() {
        let answer = match line?.to_ascii_uppercase().split(' ').next().unwrap_or_default() {
            "EHLO" => "250 test",
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                for line in lines.by_ref() {
                    match line?.as_str() {
                        "." => break,
                        line => mail += &format!("{line}\n"),
                    }
                }
                match failures.pop() {
                    Some(failure) => failure,
                    None => {
                        mails.lock().unwrap().push(mail);
                        "250 taken"
                    }
                }
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
