fn main() {
    let router = procedures::router();
    std::fs::write("bindings/src/router.ts", procedures::describe::typescript(&router)).unwrap();
    println!("{:#}", procedures::describe::openrpc(&router, "0.1.0"));
}
